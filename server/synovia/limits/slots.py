"""So many at once: as ``asyncio.Semaphore``, at less cost where there is room."""

from __future__ import annotations

import asyncio
from collections import deque


class Slots:
    """Lets so many go on at once; whoever finds none free waits behind those who wait already.

    Args:
        most: How many.
    """

    __slots__ = ("_free", "_waiting")

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[asyncio.Future[None]] | None = None  # most addresses never have anybody wait

    @property
    def are_taken(self) -> bool:
        """Whether whoever comes now has to wait."""
        return not self._free or bool(self._waiting)

    def take(self) -> bool:
        """Take one if that is possible at once."""
        if not self._free or self._waiting:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take one as soon as it is one's turn."""
        if self._waiting is None:
            self._waiting = deque()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self.give_back()
            elif future in self._waiting:
                self._waiting.remove(future)
            raise

    def give_back(self) -> None:
        """Give one back that was taken: to who has waited longest, if anybody does."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._free += 1

    async def __aenter__(self) -> None:
        if not self.take():
            await self.wait()

    async def __aexit__(self, *error: object) -> None:
        self.give_back()
