"""Long computations of one event loop take turns, so that nothing else has to wait for them.

All that go on in one round of the loop have a third of a millisecond together. Of those that want more, one at a time
goes on in a further round: when the loop has nothing else to do, or has done other things for three milliseconds. While
something short is under way (``short``), they leave a millisecond between two turns: what it waits for, at the database too,
is then done sooner. So they do while a thread does what everybody waits for (``awaited``): it needs Python's lock again
after each of its statements, and would wait for it as long as the loop computes. What cannot stop amid its turn, as reading
a large message, waits for one in any case (``Turns.begin``), and is followed by a longer pause. Threads get Python's lock
25 times sooner than usual while anything long goes on, or somebody waits for what a thread does (``hurried``): in any
loop, as there is one such time for the whole process.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.0003
PATIENCE_SECONDS: Final = 0.003
"""So long everything else goes first."""
URGENT_PATIENCE_SECONDS: Final = 0.0005
"""The same for what everybody waits for; what goes first would wait for it in the end."""
FEW: Final = 16
"""So many items are worked on without a look at the clock."""
_QUIET_SECONDS: Final = 0.0001
"""A round of the loop that is over so soon has had nothing to do."""
PAUSE_SECONDS: Final = 0.001
LONG_SHARE: Final = 2.0
"""The next turn is so many times as long after the beginning of the last as that took, if that is more than a pause."""
MOST_PAUSE_SECONDS: Final = 0.01
SHORT_SECONDS: Final = 0.25
"""So long something counts as short."""
USUAL_SWITCH_SECONDS: Final = sys.getswitchinterval()
SWITCH_SECONDS: Final = 0.0002
"""So long a thread waits for Python's lock while somebody waits for what it does."""
_CALM_SECONDS: Final = 0.05

T = TypeVar("T")


class Turns:
    """The turns of one computation; it calls ``step`` between its small parts.

    Args:
        steps: So many steps are taken between two looks at the clock; a computation of fewer never waits.
        urgent: Whether it goes before others, because everybody waits for it.
    """

    __slots__ = ("_every", "_steps", "_urgent")

    def __init__(self, steps: int = FEW, *, urgent: bool = False) -> None:
        self._every = steps
        self._steps = 0
        self._urgent = urgent

    async def step(self) -> None:
        """Go on at once, or when it is this computation's turn again."""
        self._steps += 1
        if self._steps % self._every == 0:
            line = _line()
            if line.is_late():
                line.short.pop(_under_way.get(), None)  # it is not short, then
                await line.turn(urgent=self._urgent)

    async def begin(self) -> None:
        """Wait for a turn in any case: what comes next takes longer than one, and cannot stop amid it."""
        await _line().turn(urgent=self._urgent)


async def in_turns(steps: Generator[None, None, T]) -> T:
    """Do a long computation, which stops after each of its small parts; give its result."""
    turns = Turns(1)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await turns.step()


def at_once(steps: Generator[None, None, T]) -> T:
    """Do the same without a stop."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


async def slices_in_turns(items: Sequence[T], few: int = FEW, *, large: bool = False) -> AsyncIterator[Sequence[T]]:
    """Give many items a few at a time; what is done with each few but the first waits for its turn. A few never wait.

    Args:
        large: What is done with any of them takes longer than a turn, and cannot stop amid it: all wait.
    """
    turns = Turns(1)
    for begin in range(0, len(items), few):
        if large:
            await turns.begin()
        elif begin:
            await turns.step()
        yield items[begin : begin + few]


_under_way: ContextVar[object] = ContextVar("what is under way", default=None)


class short:
    """Have computations leave pauses until the block ends, which is likely to be soon, or has to take a turn itself."""

    __slots__ = ("_before", "_line")

    def __enter__(self) -> None:
        self._line = _line()
        self._line.short[self] = time.perf_counter()
        self._before = _under_way.set(self)

    def __exit__(self, *error: object) -> None:
        self._line.short.pop(self, None)
        _under_way.reset(self._before)


@contextmanager
def awaited() -> Iterator[None]:
    """Have computations leave pauses until the block ends, however long that takes: all others wait for a thread."""
    line = _line()
    line.awaited += 1
    try:
        yield
    finally:
        line.awaited -= 1


class hurried:
    """Have threads get Python's lock soon until the block ends: somebody waits for what one of them does.

    A class, as every job of a thread is one of these, and a generator would cost twice as much.
    """

    __slots__ = ("_line",)

    def __enter__(self) -> None:
        self._line = line = _line()
        line.hurried += 1
        if line.hurried == 1:
            _threads.pace(line)

    def __exit__(self, *error: object) -> None:
        self._line.hurried -= 1
        if not self._line.hurried:
            _threads.pace(self._line)


class _Line:
    """The computations of one loop that wait for their turn, and since when others have had to wait in this round.

    Args:
        loop: Whose line it is.

    Attributes:
        awaited: How many threads do something that everybody waits for.
        calming: Goes off when nothing long may go on any more.
        hurried: How many jobs of threads somebody waits for.
        short: What is under way and likely to be over soon, with the time at which it began; the oldest first.
    """

    __slots__ = (
        "_began",
        "_is_pausing",
        "_looked_at",
        "_loop",
        "_next",
        "_others",
        "_served_at",
        "_took",
        "_urgent",
        "awaited",
        "calming",
        "hurried",
        "short",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self.awaited = 0
        self.calming: asyncio.TimerHandle | None = None
        self.hurried = 0
        self.short: dict[object, float] = {}
        self._next: asyncio.Handle | None = None
        self._is_pausing = False
        self._took = 0.0
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._began: float | None = None
        self._looked_at = self._served_at = float("-inf")

    def is_late(self) -> bool:
        """Tell whether the computations of this round have had their time."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now
            asyncio.get_running_loop().call_soon(self._end_round)
        return now - self._began >= SLICE_SECONDS

    def _end_round(self) -> None:
        self._began = None

    async def turn(self, *, urgent: bool) -> None:
        """Wait until all who came before have had a turn."""
        loop = asyncio.get_running_loop()
        self._hurry_threads(loop)
        future = loop.create_future()
        (self._urgent if urgent else self._others).append(future)
        if self._next is None:
            self._go_on(loop)
        elif urgent and self._is_pausing:
            self._next.cancel()
            self._go_on(loop)
        await future

    def _hurry_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.calming is None:
            self.calming = loop.call_later(_CALM_SECONDS, self._calm_down)
            _threads.pace(self)

    def _calm_down(self) -> None:
        """Have threads wait for Python's lock as usual, if nothing long goes on any more."""
        self.calming = None
        if time.perf_counter() - self._served_at < _CALM_SECONDS or self._urgent or self._others:
            self.calming = asyncio.get_running_loop().call_later(_CALM_SECONDS, self._calm_down)
        else:
            _threads.pace(self)

    @property
    def is_over(self) -> bool:
        """Whether its loop has been closed, amid something long perhaps."""
        loop = self._loop()
        return loop is None or loop.is_closed()

    def _serve(self) -> None:
        """Let one computation go on, if it is time; the next one in another round of the loop."""
        self._next = None
        loop = asyncio.get_running_loop()
        if not self._is_time():
            self._go_on(loop)
            return
        future = (self._urgent or self._others).popleft()
        if not future.done():
            future.set_result(None)
        self._next = loop.call_soon(self._served)  # behind the computation: what it has woken is called first

    def _served(self) -> None:
        """Note how long the turn has taken, and let the next one come."""
        self._next = None
        self._took = time.perf_counter() - self._served_at
        if self._urgent or self._others:
            self._go_on(asyncio.get_running_loop())

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = self._served_at + self._pause_seconds() - time.perf_counter()
        self._is_pausing = pause > 0 and not self._urgent and self._leaves_pauses()
        self._next = loop.call_later(pause, self._serve) if self._is_pausing else loop.call_soon(self._serve)

    def _pause_seconds(self) -> float:
        """Tell how long a pause is: what cannot stop amid its turn and so has taken longer is followed by a longer one."""
        return max(PAUSE_SECONDS, min(MOST_PAUSE_SECONDS, LONG_SHARE * self._took))

    def _leaves_pauses(self) -> bool:
        return self.awaited > 0 or self._is_short_under_way()

    def _is_short_under_way(self) -> bool:
        return bool(self.short) and time.perf_counter() - self.short[next(reversed(self.short))] < SHORT_SECONDS

    def _is_time(self) -> bool:
        now = time.perf_counter()
        seconds, self._looked_at = now - self._looked_at, now
        patience = URGENT_PATIENCE_SECONDS if self._urgent else PATIENCE_SECONDS
        if seconds > _QUIET_SECONDS and now - self._served_at < patience:
            return False
        self._served_at = now
        return True


class _Threads:
    """How soon threads get Python's lock: there is one time for all of them, and loops in several threads that decide it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # collecting garbage may end what is hurried, amid the same
        self._hurried = set[_Line]()

    def pace(self, line: _Line) -> None:
        """Take in whether anybody in a loop waits for a thread, or anything long goes on there."""
        with self._lock:
            if line.hurried or line.calming is not None:
                self._hurried.add(line)
            else:
                self._hurried.discard(line)
                if self._hurried:
                    self._hurried.difference_update([each for each in [*self._hurried] if each.is_over])
            sys.setswitchinterval(SWITCH_SECONDS if self._hurried else USUAL_SWITCH_SECONDS)


_threads: Final = _Threads()


class _Lines:
    """The line of each loop; that of the loop that was asked for last is found at once."""

    def __init__(self) -> None:
        self._all: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()
        self._latest: tuple[Callable[[], asyncio.AbstractEventLoop | None], _Line | None] = (lambda: None, None)

    def present(self) -> _Line:
        """Give that of the loop that is running."""
        loop = asyncio.get_running_loop()
        whose, line = self._latest  # both at once: another thread may ask for its own meanwhile
        if line is None or whose() is not loop:
            line = self._all.setdefault(loop, _Line(loop))
            self._latest = weakref.ref(loop), line
        return line


_line: Final = _Lines().present
