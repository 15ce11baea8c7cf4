"""The newest calls of a hub, in memory: what came of each, and how they belong together.

Of each function and outcome so many are kept in a second; the others are counted. So a hub that is busy with one function
still shows the calls of all others, and a look at the log costs as much as at a quiet hub's.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from synovia.dashboard.declaring import PREFIX
from synovia.dashboard.signals import Signal
from synovia.engine.observing import OK, EndedCall
from synovia.functions.log_lines import LogLine
from synovia.limits.refusal import LIMIT_CODES
from synovia.store.base import Ts
from synovia_protocol.errors import ErrorInfo

MOST_CALLS: Final = 2_000
MOST_OF_ONE: Final = 50
"""Of a function with an outcome, in a second."""
MOST_KINDS: Final = 200
"""So many functions and outcomes are told apart in a second: clients may call what they like."""
OTHERS: Final = ("", "", "")
MINUTE: Final = 60
"""So many seconds are summed up."""
MOST_TRACEBACKS: Final = 200
MOST_TRACEBACK_CHARACTERS: Final = 16_000
MOST_SCHEDULED: Final = 4_000
MOST_RESULT_BYTES: Final = 4_096
"""Of longer results only the length is kept."""
MOST_LINE_CHARACTERS: Final = 2_000_000
"""Of what was logged and printed; the lines of older calls are dropped."""


class LoggedCall:
    """A call that is over; its time is in milliseconds since 1970.

    Attributes:
        ts: Of a mutation's commit.
        inside: The application itself called it.
        packed: Its result, if it is short.
        more: How many calls of the same function and outcome have ended in the same second and were not kept.
    """

    __slots__ = (
        "at", "caller", "error", "inside", "kind", "lines", "more", "number", "packed", "parent", "path", "read", "runs",
        "scheduled", "seconds", "size", "ts", "word", "written",
    )  # fmt: skip

    def __init__(self, call: EndedCall, at: float, *, keeps_result: bool = True) -> None:
        outcome = call.outcome
        packed = None if outcome is None else outcome.packed
        self.number, self.parent, self.runs, self.scheduled = call.number, call.parent, call.runs, len(call.scheduled)
        self.kind, self.path, self.caller, self.word, self.seconds = (
            call.kind, call.path, call.caller, call.word, call.seconds,
        )  # fmt: skip
        self.inside = call.inside
        self.at = at
        self.more = 0
        self.size = 0 if packed is None else len(packed)
        self.packed = packed if keeps_result and self.size <= MOST_RESULT_BYTES else None
        self.error: ErrorInfo | None = None if outcome is None else outcome.error
        self.lines: tuple[LogLine, ...] = () if outcome is None else outcome.log_lines
        self.read = 0 if outcome is None else outcome.documents_read
        self.written = 0 if outcome is None else outcome.documents_written
        self.ts: Ts | None = outcome.ts if outcome is not None and self.written else None


class Tally:
    """The calls of one function with one outcome in a second, or in several.

    Attributes:
        seconds, slowest: How long they took, all of them, and the longest.
    """

    __slots__ = ("calls", "last", "seconds", "slowest")

    def __init__(self) -> None:
        self.calls = 0
        self.seconds = self.slowest = 0.0
        self.last: LoggedCall | None = None

    def add(self, other: Tally) -> None:
        """Count the calls of another one here too."""
        self.calls += other.calls
        self.seconds += other.seconds
        self.slowest = max(self.slowest, other.slowest)


Which: TypeAlias = tuple[str, str, str]
"""A kind, a path, and what came of it; ``OTHERS``: all that is beyond what is told apart."""


class CallLog:
    """Keeps the newest calls, an observer of the engine.

    Args:
        clock: Tells the time of day in seconds since 1970.

    Attributes:
        signal: Tells of new ones.
        seen, failures, runs: Calls, those of them that have not ended well, and runs of live queries, since it was made.
        left_out: How many of the calls were counted and not kept.
        limited: How many have ended with the code of a limit, by code.
        keeps_results: Whether results are kept; not where they may hold what is encrypted in the database.
    """

    keeps_results = True

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.signal = Signal("calls")
        self.seen = self.failures = self.runs = self.left_out = 0
        self.limited: Counter[str] = Counter()
        self._calls: deque[LoggedCall] = deque()
        self._tracebacks: OrderedDict[str, str] = OrderedDict()
        self._scheduled_by: OrderedDict[str, int] = OrderedDict()
        self._second = 0
        self._tallies: dict[Which, Tally] = {}
        self._minute: deque[tuple[int, dict[Which, Tally]]] = deque(maxlen=MINUTE)
        self._with_lines: deque[LoggedCall] = deque()
        self._line_characters = 0

    def call_ended(self, call: EndedCall) -> None:
        """Keep a call, or count it; those of operators themselves aside."""
        if call.path.startswith(PREFIX):
            return
        self.seen += 1
        if call.word != OK:
            self.failures += 1
            if call.word in LIMIT_CODES:
                self.limited[call.word] += 1
        now = self._clock()
        tally = self._tally(call, int(now))
        tally.calls += 1
        tally.seconds += call.seconds
        if call.seconds > tally.slowest:
            tally.slowest = call.seconds
        if tally.last is None or tally.calls <= MOST_OF_ONE:
            tally.last = self._keep(call, now * 1000)
        else:
            tally.last.more += 1
            self.left_out += 1
        self.signal.changed()

    def _tally(self, call: EndedCall, second: int) -> Tally:
        if second != self._second:
            self._second, self._tallies = second, {}
            self._minute.append((second, self._tallies))
        which = (call.kind, call.path, call.word)
        found = self._tallies.get(which)
        if found is None:
            found = self._tallies.setdefault(which if len(self._tallies) < MOST_KINDS else OTHERS, Tally())
        return found

    def summary(self) -> dict[Which, Tally]:
        """Sum up the calls of the last minute."""
        since, found = int(self._clock()) - MINUTE, dict[Which, Tally]()
        for second, tallies in self._minute:
            for which, tally in tallies.items() if second > since else ():
                found.setdefault(which, Tally()).add(tally)
        return found

    def _keep(self, call: EndedCall, at: float) -> LoggedCall:
        logged = LoggedCall(call, at, keeps_result=self.keeps_results)
        self._calls.append(logged)
        if len(self._calls) > MOST_CALLS:
            self._calls.popleft()
        if logged.lines:
            self._keep_lines(logged)
        for id_ in call.scheduled:
            self._scheduled_by[id_] = call.number
            if len(self._scheduled_by) > MOST_SCHEDULED:
                self._scheduled_by.popitem(last=False)
        return logged

    def _keep_lines(self, logged: LoggedCall) -> None:
        self._with_lines.append(logged)
        self._line_characters += _characters(logged)
        while self._line_characters > MOST_LINE_CHARACTERS or len(self._with_lines) > MOST_CALLS:
            oldest = self._with_lines.popleft()
            self._line_characters -= _characters(oldest)
            oldest.lines = ()

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

    def committed_at(self, ts: Ts) -> list[LoggedCall]:
        """Give the mutations that a commit is of, the newest first; several may share one."""
        return [each for each in self if each.ts == ts]

    def cause(self, logged: LoggedCall) -> int | None:
        """Give the number of the call that has made or scheduled one."""
        return logged.parent if logged.runs is None else self._scheduled_by.get(logged.runs)

    def request(self, number: int) -> list[LoggedCall]:
        """Give a call with all that it comes from and has led to, the oldest first."""
        found = sorted(self._calls, key=lambda each: each.number)
        causes = {each.number: self.cause(each) for each in found}
        first = number
        while (before := causes.get(first)) is not None and before in causes:
            first = before
        wanted = {first}
        for each in found:
            if causes[each.number] in wanted:
                wanted.add(each.number)
        return [each for each in found if each.number in wanted]


def _characters(logged: LoggedCall) -> int:
    return sum(len(line.text) for line in logged.lines)
