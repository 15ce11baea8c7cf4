"""Long computations of one event loop take turns, so that nothing else has to wait for them.

All that go on in one round of the loop have a third of a millisecond together. Of those that want more, one at a time
goes on in a further round: when the loop has nothing else to do, or has done other things for three milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.0003
PATIENCE_SECONDS: Final = 0.003
"""So long everything else goes first."""
_QUIET_SECONDS: Final = 0.0001
"""A round of the loop that is over so soon has had nothing to do."""


class Turns:
    """The turns of one computation; it calls ``step`` between its small parts.

    Args:
        steps: So many steps are taken between two looks at the clock; a computation of fewer never waits.
        urgent: Whether it goes before others, because everybody waits for it.
    """

    __slots__ = ("_every", "_steps", "_urgent")

    def __init__(self, steps: int = 16, *, urgent: bool = False) -> None:
        self._every = steps
        self._steps = 0
        self._urgent = urgent

    async def step(self) -> None:
        """Go on at once, or when it is this computation's turn again."""
        self._steps += 1
        if self._steps % self._every == 0:
            line = _line()
            if line.is_late():
                await line.turn(urgent=self._urgent)


class _Line:
    """The computations of one loop that wait for their turn, and since when others have had to wait in this round."""

    __slots__ = ("_began", "_looked_at", "_others", "_served_at", "_urgent")

    def __init__(self) -> None:
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._began: float | None = None
        self._looked_at = self._served_at = 0.0

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
        future = loop.create_future()
        if not self._urgent and not self._others:
            loop.call_soon(self._serve)
        (self._urgent if urgent else self._others).append(future)
        await future

    def _serve(self) -> None:
        """Let one computation go on, if it is time; the next one in another round of the loop."""
        if self._is_time():
            future = (self._urgent or self._others).popleft()
            if not future.done():
                future.set_result(None)
        if self._urgent or self._others:
            asyncio.get_running_loop().call_soon(self._serve)

    def _is_time(self) -> bool:
        now = time.perf_counter()
        seconds, self._looked_at = now - self._looked_at, now
        if seconds > _QUIET_SECONDS and now - self._served_at < PATIENCE_SECONDS:
            return False
        self._served_at = now
        return True


_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()


def _line() -> _Line:
    loop = asyncio.get_running_loop()
    line = _lines.get(loop)
    if line is None:
        line = _lines[loop] = _Line()
    return line
