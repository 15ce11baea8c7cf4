"""Who is told when a call is over: ``on_complete`` and ``on_failure``, in the transaction that ends the call.

What they raise changes nothing in how the call has ended: their writes are taken back, and the error is noted.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from synovia.errors import FunctionError, InvalidArguments, UnknownFunction
from synovia.functions.awaiting import RunCalls
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry
from synovia.functions.scheduled_calls import CallError, CallOutcome, ScheduledCall, large_if
from synovia.scheduler.arguments import from_document, stored_with_size
from synovia.scheduler.failures import Failure, error_of
from synovia.scheduler.journal import note_end
from synovia.store.base import StoreError
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

_ANY_ID = "0" * 24


class Completion:
    """Tells an application's own mutations that calls are over.

    Args:
        hub: The name of this hub, for what it leaves to others.
    """

    def __init__(self, registry: Registry, hub: str) -> None:
        self._registry = registry
        self._hub = hub

    def check(self, path: str, context: Any) -> None:
        """Check that a function can be told of the end of a call.

        Raises:
            FunctionError: There is none, or it does not take what it would get.
        """
        function = self._registry.functions.get(path) if isinstance(path, str) else None
        if function is None:
            hint = self._registry.hint(path, internal=True) if isinstance(path, str) else ""
            raise UnknownFunction(f"there is no mutation {path!r} to tell that the call is over{hint}")
        if function.kind is not Kind.MUTATION or not function.internal:
            raise InvalidArguments(f"{path!r} is no internal mutation: only such a one is told that a call is over")
        function.validate({"callId": _ANY_ID, "context": context, "outcome": {"status": "cancelled"}})

    async def tell(self, ctx: MutationContext, call: ScheduledCall, outcome: CallOutcome) -> list[Failure]:
        """Tell whom it concerns, as the application itself; what fails of that is given and noted with the call."""
        failures = []
        await note_end(ctx, call, outcome)
        for path in _to_tell(call, outcome):
            args = {
                "callId": call.id,
                "context": from_document(call.context),
                "outcome": _on_the_wire(outcome),
            }
            error = await self._tell(ctx.as_application(), path, args, call)
            if error is not None:
                failures.append(Failure(path=path, id=call.id, error=error, told_of=call.path))
        if failures:
            await SystemWriter(ctx.db).patch(call, callback_error=failures[-1].error)
        return failures

    async def _tell(
        self, ctx: MutationContext, path: str, args: Mapping[str, Any], call: ScheduledCall
    ) -> CallError | None:
        function, writer = self._registry.functions.get(path), SystemWriter(ctx.db)
        try:
            with writer.taken_back_on_error():
                if function is None:
                    await writer.insert(self._for_another_hub(path, args, ctx.now, call))
                else:
                    await _run(function, ctx, args)
        except FunctionError as error:
            return error_of(error.info)
        except Exception as error:
            if isinstance(error, StoreError) and error.passing:
                raise
            return error_of(_server_error(path, error))
        return None

    def _for_another_hub(self, path: str, args: Mapping[str, Any], now: int, call: ScheduledCall) -> ScheduledCall:
        """Make a call of what this hub does not know, as of a newer version of the application."""
        document, size = stored_with_size(args)
        return ScheduledCall(
            path=path, args=document, large=large_if(size), status="pending", run_at=now,
            created_at=now, queue="mutation", due_at=now,
            planned_at=now, hub=self._hub, caused_by=call.caused_by, line=call.line,
        )  # fmt: skip


async def _run(function: Function, ctx: MutationContext, args: Mapping[str, Any]) -> None:
    with RunCalls(ctx) as calls:
        given = await function.body(ctx, **function.validate(args))
        calls.check(given)
    function.check(given)


def _to_tell(call: ScheduledCall, outcome: CallOutcome) -> Iterator[str]:
    if call.on_failure is not None and outcome.status == "failed":
        yield call.on_failure
    if call.on_complete is not None:
        yield call.on_complete


def _on_the_wire(outcome: CallOutcome) -> dict[str, Any]:
    told: dict[str, Any] = {"status": outcome.status}
    if outcome.result is not None:
        told["result"] = outcome.result  # wire values already
    if outcome.error is not None:
        told["error"] = outcome.error.model_dump(by_alias=True, exclude_none=True)
    return told


def _server_error(path: str, error: Exception) -> ErrorInfo:
    reference = secrets.token_hex(4)
    told = {"function": path, "reference": reference}
    logger.error("%s failed (error %s)", path, reference, exc_info=error, extra=told)
    return ErrorInfo(ErrorCode.SERVER_ERROR, f"server error {reference} in {path}", {"id": reference})
