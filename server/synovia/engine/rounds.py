"""How many may begin in one round of the event loop.

In a round the loop calls all that is ready when it begins. If fifty mutations are, then fifty run in one, and that something
was committed meanwhile is only noticed when all have: they move in step, commits wait for them, and then they for commits.
"""

from __future__ import annotations

import asyncio
from collections import deque


class RoundLimit:
    """Lets so many begin in a round of the event loop; the others in those that follow, in the order in which they came.

    Args:
        most: How many in each.
    """

    __slots__ = ("_is_counting", "_left", "_most", "_waiting")

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_counting = False  # only while something has begun does the end of the round have to be heard of

    def try_begin(self) -> bool:
        """Begin in this round and tell True, if there is room and nobody waits; who is told False has to ``wait``."""
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._end_round)
        if not self._left or self._waiting:
            return False
        self._left -= 1
        return True

    async def wait(self) -> None:
        """Begin in a later round, when it is one's turn."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def _end_round(self) -> None:
        self._left = self._most
        while self._left and self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                self._left -= 1
        self._is_counting = self._left < self._most
        if self._is_counting:
            asyncio.get_running_loop().call_soon(self._end_round)
