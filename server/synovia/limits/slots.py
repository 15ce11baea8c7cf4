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

    async def __aenter__(self) -> bool:
        """Take one as soon as it is one's turn; tell whether that had to be waited for."""
        if self._free and not self._waiting:
            self._free -= 1
            return False
        await self._wait()
        return True

    async def __aexit__(self, *error: object) -> None:
        if self._waiting:
            self._give_back()
        else:
            self._free += 1

    async def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = deque()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self._give_back()
            elif future in self._waiting:
                self._waiting.remove(future)
            raise

    def _give_back(self) -> None:
        """Give one to who has waited longest, if anybody does."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._free += 1
