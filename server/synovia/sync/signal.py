"""What tasks of a connection wait for, without holding memory while nobody waits."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal:
    """As ``asyncio.Event``, which has a deque for those who wait: 760 bytes, several times in each idle connection."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: tuple[asyncio.Future[None], ...] = ()

    def is_set(self) -> bool:
        """Tell whether nobody has to wait."""
        return self._is_set

    def set(self) -> None:
        """Let everybody go on, until it is cleared."""
        self._is_set = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Have whoever comes wait."""
        self._is_set = False

    async def wait(self) -> None:
        """Wait until it is set."""
        if self._is_set:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = (*self._waiting, waiter)
        try:
            await waiter
        finally:
            self._waiting = tuple(each for each in self._waiting if each is not waiter)


class Inbox(Generic[T]):
    """As ``asyncio.Queue`` without a bound, for one who takes, and for little that waits."""

    __slots__ = ("_items", "_waiter")

    def __init__(self) -> None:
        self._items: list[T] = []
        self._waiter: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Tell whether nothing waits."""
        return not self._items

    def put_nowait(self, item: T) -> None:
        """Add an item at the end."""
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> T:
        """Take the first item; wait until there is one."""
        while not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._items.pop(0)
