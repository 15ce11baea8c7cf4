"""Long computations of one event loop take turns, a millisecond each, so that nothing else has to wait for them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

SLICE_SECONDS: Final = 0.001

_Queue = deque[asyncio.Future[None]]
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


class Turns:
    """The turns of one computation; it calls ``step`` between its small parts.

    Args:
        steps: So many steps are taken between two looks at the clock; a computation of fewer never waits.
    """

    __slots__ = ("_every", "_since", "_steps")

    def __init__(self, steps: int = 16) -> None:
        self._every = steps
        self._steps = 0
        self._since = time.perf_counter()

    async def step(self) -> None:
        """Go on at once, or when it is this computation's turn again."""
        self._steps += 1
        if self._steps % self._every == 0 and time.perf_counter() - self._since > SLICE_SECONDS:
            await _next_turn()
            self._since = time.perf_counter()


async def _next_turn() -> None:
    loop = asyncio.get_running_loop()
    queue = _waiting.setdefault(loop, deque())
    queue.append(loop.create_future())
    if len(queue) == 1:
        loop.call_soon(_serve, loop, queue)
    await queue[-1]


def _serve(loop: asyncio.AbstractEventLoop, queue: _Queue) -> None:
    """Let one computation go on in this round of the loop; the next one in the next."""
    future = queue.popleft()
    if not future.done():
        future.set_result(None)
    if queue:
        loop.call_soon(_serve, loop, queue)
