"""What begins in one round of the event loop.

In a round the loop calls all that is ready when it begins. If fifty mutations are, then fifty run in one, and that something
was committed meanwhile is only noticed when all have: they move in step, commits wait for them, and then they for commits.
"""

from __future__ import annotations

import asyncio
from collections import deque


class FewARound:
    """Lets a few begin in each round of the event loop; the others in those that follow, in the order in which they came.

    Args:
        most: So many in one.
    """

    __slots__ = ("_is_over", "_left", "_most", "_waiting")

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_over = True  # nothing has begun since, so nobody needs to hear when the round is over

    def may_begin(self) -> bool:
        """Begin in this round, if that is possible; else it has to be waited for (``wait``)."""
        if self._is_over:
            self._is_over = False
            asyncio.get_running_loop().call_soon(self._end_round)
        if not self._left or self._waiting:
            return False
        self._left -= 1
        return True

    async def wait(self) -> None:
        """Begin as soon as it is one's turn."""
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
        self._is_over = self._left == self._most
        if not self._is_over:
            asyncio.get_running_loop().call_soon(self._end_round)
