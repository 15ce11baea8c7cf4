"""Mutations that run alone: whoever was overtaken once runs again while nobody else stages, so it gets through.

Others go on running meanwhile, and are staged afterwards. Who runs alone for too long, because it waits for something slow,
does not hold them up any further; when it is overtaken again, it has twice as long.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

SECONDS: Final = 1.0
MOST_SECONDS: Final = 16.0


class Exclusive:
    """Lets one run alone at a time, in the order in which they ask."""

    def __init__(self) -> None:
        self._holder: object | None = None
        self._queue: deque[asyncio.Future[None]] = deque()
        self._held_up: list[asyncio.Future[None]] = []
        self._letting_by = False

    @asynccontextmanager
    async def alone(self, seconds: float = SECONDS) -> AsyncIterator[None]:
        """Run the block while nobody else stages, but no longer than ``seconds``."""
        await self._turn()
        holder = self._holder = object()
        timer = asyncio.get_running_loop().call_later(seconds, self._release, holder)
        try:
            yield
        finally:
            timer.cancel()
            self._release(holder)

    async def free(self) -> None:
        """Wait until nobody runs alone."""
        while self._holder is not None:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._held_up.append(future)
            await future

    async def _turn(self) -> None:
        if self._holder is None and not self._queue and not self._letting_by:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self._release(future)
            raise

    def _release(self, holder: object | None) -> None:
        if holder is None or self._holder is not holder:
            return
        self._holder = None
        held_up, self._held_up = self._held_up, []
        for future in held_up:
            if not future.done():
                future.set_result(None)
        # All of those come first, also before one of them that turns out to have been overtaken: they have waited.
        self._letting_by = True
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._letting_by = False
        while self._holder is None and self._queue:
            future = self._queue.popleft()
            if not future.done():
                self._holder = future  # until it takes its turn
                future.set_result(None)
