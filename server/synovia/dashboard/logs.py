"""``_system/logs``: the calls of this hub as they happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from synovia.dashboard.call_log import CallLog, LoggedCall
from synovia.dashboard.declaring import query
from synovia.dashboard.values import packed_as_json
from synovia.errors import NotFound
from synovia.functions.context import QueryContext
from synovia.functions.function import Function
from synovia.schema import Model

MOST_SHOWN: Final = 500
LEVELS: Final = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}


class LogLineShown(Model):
    """A line that a function has logged."""

    level: str
    text: str


class CallShown(Model):
    """A call that is over.

    Attributes:
        number: Names it at this hub until that is started again.
        ended_at: In milliseconds since 1970.
        caller: ``ISSUER|SUBJECT`` of whoever was signed in.
        outcome: ``ok``, the code of an error, ``cancelled`` or ``failed``.
        bytes: Of its result.
        cause: The number of the call that has made or scheduled it.
        reference: Of a server error; ``call`` has its traceback.
    """

    number: int
    kind: str
    path: str
    caller: str | None = None
    caller_name: str | None = None
    outcome: str
    ended_at: float
    milliseconds: float
    read: int = 0
    written: int = 0
    bytes: int = 0
    message: str | None = None
    reference: str | None = None
    cause: int | None = None
    scheduled: int = 0
    lines: list[LogLineShown] = []


class CallDetails(Model):
    """A call with all that is known of it.

    Attributes:
        result: As JSON, if it is short.
        related: The calls of the same request, the oldest first.
    """

    call: CallShown
    result: str | None = None
    traceback: str | None = None
    error_data: Any = None
    related: list[CallShown] = []


class LogFunctions:
    """Reads the log of calls."""

    def __init__(self, log: CallLog) -> None:
        self._log = log

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("logs:recent", self.recent)
        yield query("logs:call", self.call)

    async def recent(
        self,
        ctx: QueryContext,
        limit: int = 200,
        after: int = 0,
        kind: str | None = None,
        path: str | None = None,
        caller: str | None = None,
        failed: bool = False,
        slower_than: float = 0.0,
        text: str | None = None,
    ) -> list[CallShown]:
        """List the newest calls, the newest first.

        Args:
            after: Only calls of greater numbers.
            kind: query, mutation, action or route.
            path: A part of the function's path.
            caller: A part of who called it.
            failed: Only those that have not ended well.
            slower_than: Milliseconds.
            text: A part of the path, the caller, an error or a line that was logged.
        """
        self._log.signal.follow(ctx)
        found: list[CallShown] = []
        wanted = None if text is None else text.casefold()
        for logged in self._log:
            call = logged.call
            if len(found) >= min(limit, MOST_SHOWN):
                break
            if call.number <= after or (kind is not None and call.kind != kind) or (failed and call.word == "ok"):
                continue
            if (path is not None and path not in call.path) or call.seconds * 1000 < slower_than:
                continue
            shown = self._shown(logged)
            if (caller is None or caller in (shown.caller or "")) and (wanted is None or wanted in _text(shown)):
                found.append(shown)
        return found

    async def call(self, ctx: QueryContext, number: int) -> CallDetails:
        """Show one call with the others of its request."""
        self._log.signal.follow(ctx)
        logged = next((each for each in self._log if each.call.number == number), None)
        if logged is None:
            raise NotFound(f"the call {number} is not kept any more")
        shown = self._shown(logged)
        outcome = logged.call.outcome
        related = self._log.request(number)
        return CallDetails(
            call=shown,
            result=packed_as_json(logged.packed),
            traceback=None if shown.reference is None else self._log.traceback(shown.reference),
            error_data=None if outcome is None or outcome.error is None else outcome.error.data,
            related=[self._shown(each) for each in related] if len(related) > 1 else [],
        )

    def _shown(self, logged: LoggedCall) -> CallShown:
        call, outcome = logged.call, logged.call.outcome
        error = None if outcome is None else outcome.error
        data = None if error is None else error.data
        return CallShown(
            number=call.number,
            kind=call.kind,
            path=call.path,
            caller=None if call.caller is None else call.caller.key,
            caller_name=None if call.caller is None else call.caller.email or call.caller.name,
            outcome=call.word,
            ended_at=logged.at,
            milliseconds=round(call.seconds * 1000, 3),
            read=0 if outcome is None else outcome.documents_read,
            written=0 if outcome is None else outcome.documents_written,
            bytes=logged.size,
            message=None if error is None else error.message[:500],
            reference=data["id"] if call.word == "server_error" and isinstance(data, dict) and "id" in data else None,
            cause=self._log.cause(logged),
            scheduled=len(call.scheduled),
            lines=[LogLineShown(level=_level(line.level), text=line.text[:1_000]) for line in _lines(logged)],
        )


def _lines(logged: LoggedCall) -> Any:
    return () if logged.call.outcome is None else logged.call.outcome.log_lines


def _level(level: int) -> str:
    return LEVELS.get(level, str(level))


def _text(call: CallShown) -> str:
    parts = [call.path, call.caller or "", call.caller_name or "", call.outcome, call.message or ""]
    return " ".join([*parts, *(line.text for line in call.lines)]).casefold()
