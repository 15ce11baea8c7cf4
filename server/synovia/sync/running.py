"""The requests of a hub that run: when it stops, it waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeVar

from synovia.tasks import begin, end

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
        self._block = _Working(self)
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return self._working > 0

    def working(self) -> AbstractContextManager[None]:
        """Keep a stop waiting as long as the block runs."""
        return self._block

    async def run(self, call: Coroutine[Any, Any, T], name: str) -> T:
        """Run a request that goes on to its end even if the one who waits for it is cancelled."""
        self._block.__enter__()
        # No coroutine around it: that would never await it if it is ended before it begins.
        task = self.begin(call, name)
        task.add_done_callback(self._block.leave)
        return await asyncio.shield(task)

    def begin(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Begin something that goes on to its end even if the connection ends for which it is done."""
        task = begin(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, seconds: float) -> None:
        """Begin nothing any more, and wait for what runs, but not for ever."""
        self.stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._quiet.wait()

    async def cancel(self) -> None:
        """End what still runs."""
        await end(self._tasks)


class _Working:
    """What runs now: a block that several may be in at once."""

    __slots__ = ("_requests",)

    def __init__(self, requests: RunningRequests) -> None:
        self._requests = requests

    def __enter__(self) -> None:
        if not self._requests._working:
            self._requests._quiet.clear()
        self._requests._working += 1

    def __exit__(self, *error: object) -> None:
        self.leave()

    def leave(self, *_: object) -> None:
        self._requests._working -= 1
        if not self._requests._working:
            self._requests._quiet.set()
