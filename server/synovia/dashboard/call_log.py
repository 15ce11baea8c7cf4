"""The newest calls of a hub, in memory: what came of each, and how they belong together."""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

from synovia.dashboard.declaring import PREFIX
from synovia.dashboard.signals import Signal
from synovia.engine.observing import OK, EndedCall

MOST_CALLS: Final = 2_000
MOST_TRACEBACKS: Final = 200
MOST_TRACEBACK_CHARACTERS: Final = 16_000
MOST_SCHEDULED: Final = 4_000
MOST_RESULT_BYTES: Final = 4_096
"""Of longer results only the length is kept."""


class LoggedCall:
    """A call that is over; its time is in milliseconds since 1970."""

    __slots__ = ("at", "call", "packed", "size")

    def __init__(self, call: EndedCall, at: float) -> None:
        outcome = call.outcome
        packed = None if outcome is None else outcome.packed
        self.call = call
        self.at = at
        self.size = 0 if packed is None else len(packed)
        self.packed = packed if self.size <= MOST_RESULT_BYTES else None


class CallLog:
    """Keeps the newest calls, an observer of the engine.

    Attributes:
        signal: Tells of new ones.
        seen, failures, runs: Calls, those of them that have not ended well, and runs of live queries, since it was made.
    """

    def __init__(self) -> None:
        self.signal = Signal("calls")
        self.seen = self.failures = self.runs = 0
        self._calls: deque[LoggedCall] = deque(maxlen=MOST_CALLS)
        self._tracebacks: OrderedDict[str, str] = OrderedDict()
        self._scheduled_by: OrderedDict[str, int] = OrderedDict()

    def call_ended(self, call: EndedCall) -> None:
        """Keep a call; those of operators themselves aside."""
        if call.path.startswith(PREFIX):
            return
        self.seen += 1
        self.failures += call.word != OK
        self._calls.append(LoggedCall(call, time.time() * 1000))
        for id_ in call.scheduled:
            self._scheduled_by[id_] = call.number
            if len(self._scheduled_by) > MOST_SCHEDULED:
                self._scheduled_by.popitem(last=False)
        self.signal.changed()

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Count it: live queries are looked at by themselves."""
        self.runs += 1

    def failed(self, reference: str, error: Exception) -> None:
        """Keep a traceback."""
        text = "".join(traceback.format_exception(error))
        self._tracebacks[reference] = text[-MOST_TRACEBACK_CHARACTERS:]
        if len(self._tracebacks) > MOST_TRACEBACKS:
            self._tracebacks.popitem(last=False)

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[LoggedCall]:
        """Give them, the newest first."""
        return reversed(self._calls)

    def traceback(self, reference: str) -> str | None:
        """Give the traceback of an error."""
        return self._tracebacks.get(reference)

    def cause(self, logged: LoggedCall) -> int | None:
        """Give the number of the call that has made or scheduled one."""
        runs = logged.call.runs
        return logged.call.parent if runs is None else self._scheduled_by.get(runs)

    def request(self, number: int) -> list[LoggedCall]:
        """Give a call with all that it comes from and has led to, the oldest first."""
        found = sorted(self._calls, key=lambda each: each.call.number)
        causes = {each.call.number: self.cause(each) for each in found}
        first = number
        while (before := causes.get(first)) is not None and before in causes:
            first = before
        wanted = {first}
        for each in found:
            if causes[each.call.number] in wanted:
                wanted.add(each.call.number)
        return [each for each in found if each.call.number in wanted]
