"""Long computations of one event loop take turns, so that nothing else has to wait for them: all that go on in one round of
the loop have half a millisecond together, and of those that want more, one goes on in each further round."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.0005


class Turns:
    """The turns of one computation; it calls ``step`` between its small parts.

    Args:
        steps: So many steps are taken between two looks at the clock; a computation of fewer never waits.
    """

    __slots__ = ("_every", "_steps")

    def __init__(self, steps: int = 16) -> None:
        self._every = steps
        self._steps = 0

    async def step(self) -> None:
        """Go on at once, or when it is this computation's turn again."""
        self._steps += 1
        if self._steps % self._every == 0:
            line = _line()
            if line.is_late():
                await line.turn()


class _Line:
    """The computations of one loop that wait for their turn, and since when others have had to wait in this round."""

    __slots__ = ("_began", "_queue")

    def __init__(self) -> None:
        self._queue: deque[asyncio.Future[None]] = deque()
        self._began: float | None = None

    def is_late(self) -> bool:
        """Tell whether the computations of this round have had their time."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now
            asyncio.get_running_loop().call_soon(self._end_round)
        return now - self._began >= SLICE_SECONDS

    def _end_round(self) -> None:
        self._began = None

    async def turn(self) -> None:
        """Wait until all who came before have had a turn."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._queue.append(future)
        if len(self._queue) == 1:
            loop.call_soon(self._serve)
        await future

    def _serve(self) -> None:
        """Let one computation go on in this round of the loop; the next one in the next."""
        future = self._queue.popleft()
        if not future.done():
            future.set_result(None)
        if self._queue:
            asyncio.get_running_loop().call_soon(self._serve)


_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()


def _line() -> _Line:
    loop = asyncio.get_running_loop()
    line = _lines.get(loop)
    if line is None:
        line = _lines[loop] = _Line()
    return line
