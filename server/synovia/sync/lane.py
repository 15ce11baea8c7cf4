"""Work that is done one after the other, in the order it came, with a bound on what waits."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """A queue bounded by bytes: ``put`` waits for room, which keeps a connection from reading on.

    Args:
        max_bytes: What may wait; a single item larger than that is taken when nothing else waits.
        max_items: The same, counted.

    Attributes:
        items: What waits, in order, with its size.
    """

    def __init__(self, max_bytes: int, max_items: int) -> None:
        self._max_bytes = max_bytes
        self._max_items = max_items
        self.items: list[tuple[T, int]] = []  # short, and empty in most connections: a deque takes 700 bytes
        self._bytes = 0
        self._room: asyncio.Event | None = None  # made when somebody has to wait

    def __len__(self) -> int:
        return len(self.items)

    async def put(self, item: T, size: int) -> None:
        """Add an item of ``size`` bytes at the end; wait until there is room."""
        while self.items and (self._bytes + size > self._max_bytes or len(self.items) >= self._max_items):
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()
        self.items.append((item, size))
        self._bytes += size

    def take(self) -> T:
        """Take the first item; IndexError if there is none."""
        item, size = self.items.pop(0)
        self._bytes -= size
        if self._room is not None:
            self._room.set()
        return item

    def clear(self) -> None:
        """Forget what waits."""
        self.items.clear()
        self._bytes = 0
        if self._room is not None:
            self._room.set()
