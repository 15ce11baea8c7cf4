"""Actions and routes: what they call is called by their own caller, and has run whatever comes of them."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from synovia.charges import caused_by
from synovia.engine.causes import cause_of, refuse_impersonation
from synovia.engine.executor import Executor
from synovia.engine.outcomes import Outcome, outcome_of, unavailable
from synovia.engine.runs import Arguments
from synovia.errors import FunctionError, seconds_to_wait
from synovia.functions.access import CallOrigin
from synovia.functions.context import Work
from synovia.functions.function import Function, Isolation
from synovia.functions.log_lines import note
from synovia.identity import Account, Identity
from synovia.store.base import StoreError, Ts
from synovia_protocol.errors import ErrorInfo


class _Query(Protocol):
    def __call__(
        self, path: str, args: Mapping[str, Any], identity: Identity | None, /, *, origin: CallOrigin, account: Account
    ) -> Awaitable[Outcome]: ...


class _Mutate(Protocol):
    def __call__(
        self, path: str, args: Mapping[str, Any], identity: Identity | None, /, *, origin: CallOrigin
    ) -> Awaitable[Outcome]: ...


class _Transact(Protocol):
    def __call__(self, work: Work, /, *, path: str = ..., isolation: Isolation = ...) -> Awaitable[Outcome]: ...


@dataclass(frozen=True, slots=True)
class Actions:
    """Runs actions, with what they may call.

    Attributes:
        executor: Runs their functions.
        query, mutate, transact: As those of the engine.
        wait_for: Waits until queries see the database as of an instant, or later.
        instant: Gives one at which everything that was acknowledged is seen.
    """

    executor: Executor
    query: _Query
    mutate: _Mutate
    transact: _Transact
    wait_for: Callable[[Ts], Awaitable[None]]
    instant: Callable[[], Awaitable[Ts]]

    async def run(
        self, function: Function, values: Arguments, identity: Identity | None, origin: CallOrigin, account: Account
    ) -> Outcome:
        """Run an action or a route; errors are part of the outcome.

        Args:
            account: Whom its queries are charged to.
        """
        inner = origin if origin.trusted else CallOrigin.FUNCTION

        async def run_query(path: str, args: Mapping[str, Any]) -> Any:
            outcome = await self.query(path, args, identity, origin=inner, account=account)
            note(outcome.log_lines)
            return outcome.value()

        async def run_mutation(path: str, args: Mapping[str, Any]) -> Any:
            outcome = await self.mutate(path, args, identity, origin=inner)
            note(outcome.log_lines)
            await self.wait_for(outcome.ts or 0)
            return outcome.value()

        try:
            refuse_impersonation(identity)
            with caused_by(cause_of(identity, origin)):
                run = await self.executor.action(
                    function,
                    values,
                    identity,
                    run_query,
                    run_mutation,
                    self.transact,
                    self.instant,
                    origin=origin,
                )
        except FunctionError as error:
            return Outcome(error=error.info)
        except StoreError as error:
            return unavailable(error)
        outcome = outcome_of(run, None)
        if outcome.error is not None:
            return replace(outcome, error=_of_what_has_run(outcome.error, self.executor.now()))
        return outcome


def _of_what_has_run(error: ErrorInfo, now: int) -> ErrorInfo:
    """Give the error of an action so that no client takes it for one that has not run, which it would send again."""
    seconds = seconds_to_wait(error)
    if seconds is None:
        return error
    rest = {key: value for key, value in error.data.items() if key != "retryAfter"}
    return ErrorInfo(error.code, error.message, {**rest, "retryAt": now + math.ceil(1000 * seconds)})
