"""The requests of a hub that run: when it stops, it waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from synovia.tasks import end

T = TypeVar("T")


class RunningRequests:
    """Counts what runs, over sockets and HTTP.

    Attributes:
        stopping: Nothing new is to be begun.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._working = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return self._working > 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep a stop waiting as long as the block runs."""
        self._working += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._working -= 1
            if not self._working:
                self._quiet.set()

    async def run(self, call: Awaitable[T], name: str) -> T:
        """Run a request that goes on to its end even if the one who waits for it is cancelled."""
        task = asyncio.create_task(self._run(call), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _run(self, call: Awaitable[T]) -> T:
        with self.working():
            return await call

    async def finish(self, seconds: float) -> None:
        """Begin nothing any more, and wait for what runs, but not for ever."""
        self.stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._quiet.wait()

    async def cancel(self) -> None:
        """End what still runs."""
        await end(self._tasks)
