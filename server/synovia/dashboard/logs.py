"""``_system/logs``: the calls of this hub as they happen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from synovia.dashboard.call_log import OTHERS, CallLog, LoggedCall, Tally
from synovia.dashboard.declaring import look_again, query
from synovia.dashboard.lines import LogLineShown, lines_shown
from synovia.dashboard.values import packed_as_json
from synovia.engine.observing import OK
from synovia.errors import NotFound
from synovia.functions.context import QueryContext
from synovia.functions.function import Function
from synovia.schema import Model

MOST_SHOWN: Final = 500
LOOK_SECONDS: Final = 0.5
"""So often new calls are shown at most: nobody reads faster."""


class CallShown(Model):
    """A call that is over.

    Attributes:
        number: Names it at this hub until that is started again.
        ended_at: In milliseconds since 1970.
        caller: ``ISSUER|SUBJECT`` of whoever was signed in.
        outcome: ``ok``, the code of an error, ``cancelled`` or ``failed``.
        bytes: Of its result.
        cause: The number of the call that has made or scheduled it.
        inside: The application itself called it: another function, a schedule or a cron.
        reference: Of a server error; ``call`` has its traceback.
        more: So many others of this function have ended so in the same second, and are only counted.
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
    inside: bool = False
    scheduled: int = 0
    more: int = 0
    lines: list[LogLineShown] = []


class FunctionSummary(Model):
    """The calls of a function in the last minute; times are in milliseconds.

    Attributes:
        path: Empty for all that were not told apart, as there were too many.
    """

    kind: str
    path: str
    calls: int
    failures: int
    average: float
    slowest: float


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
        yield query("logs:recent", self.recent, LOOK_SECONDS)
        yield query("logs:call", self.call)
        yield query("logs:summary", self.summary)

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
            if len(found) >= min(limit, MOST_SHOWN):
                break
            if logged.number <= after or (kind is not None and logged.kind != kind) or (failed and logged.word == OK):
                continue
            if (path is not None and path not in logged.path) or logged.seconds * 1000 < slower_than:
                continue
            if (caller is None or caller in _caller(logged)) and (wanted is None or wanted in _text(logged)):
                found.append(self._shown(logged))
        return found

    async def call(self, ctx: QueryContext, number: int) -> CallDetails:
        """Show one call with the others of its request."""
        self._log.signal.follow(ctx)
        logged = next((each for each in self._log if each.number == number), None)
        if logged is None:
            raise NotFound(f"the call {number} is not kept any more")
        shown = self._shown(logged)
        related = self._log.request(number)
        return CallDetails(
            call=shown,
            result=packed_as_json(logged.packed),
            traceback=None if shown.reference is None else self._log.traceback(shown.reference),
            error_data=None if logged.error is None else logged.error.data,
            related=[self._shown(each) for each in related] if len(related) > 1 else [],
        )

    async def summary(self, ctx: QueryContext) -> list[FunctionSummary]:
        """Sum up the calls of the last minute by function, those first that have taken the most time together."""
        look_again(ctx)
        wholes: dict[tuple[str, str], Tally] = defaultdict(Tally)
        failures: dict[tuple[str, str], int] = defaultdict(int)
        for (kind, path, word), tally in self._log.summary().items():
            wholes[kind, path].add(tally)
            failures[kind, path] += 0 if word in (OK, OTHERS[2]) else tally.calls
        found = sorted(wholes.items(), key=lambda each: each[1].seconds, reverse=True)
        return [
            FunctionSummary(
                kind=kind, path=path, calls=whole.calls, failures=failures[kind, path],
                average=round(whole.seconds * 1000 / whole.calls, 3), slowest=round(whole.slowest * 1000, 3),
            )
            for (kind, path), whole in found[:MOST_SHOWN]
        ]  # fmt: skip

    def _shown(self, logged: LoggedCall) -> CallShown:
        error = logged.error
        data = None if error is None else error.data
        return CallShown(
            number=logged.number,
            kind=logged.kind,
            path=logged.path,
            caller=None if logged.caller is None else logged.caller.key,
            caller_name=None if logged.caller is None else logged.caller.email or logged.caller.name,
            outcome=logged.word,
            ended_at=logged.at,
            milliseconds=round(logged.seconds * 1000, 3),
            read=logged.read,
            written=logged.written,
            bytes=logged.size,
            message=None if error is None else error.message[:500],
            reference=data["id"] if logged.word == "server_error" and isinstance(data, dict) and "id" in data else None,
            cause=self._log.cause(logged),
            inside=logged.inside,
            scheduled=logged.scheduled,
            more=logged.more,
            lines=lines_shown(logged.lines),
        )


def _caller(logged: LoggedCall) -> str:
    return "" if logged.caller is None else logged.caller.key


def _text(logged: LoggedCall) -> str:
    caller, error = logged.caller, logged.error
    parts = [logged.path, logged.word, _caller(logged)]
    parts += [] if caller is None else [caller.email or "", caller.name or ""]
    parts += [] if error is None else [error.message]
    return " ".join([*parts, *(line.text for line in logged.lines)]).casefold()
