"""Reading a store's log in tests: what comes next, with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from helpers.patience import PATIENCE
from synovia.store.base import Commit, Gap, Store, Ts


class LogReader:
    """A log that is being read; every item is checked to be later than the one before."""

    def __init__(self, store: Store, after: Ts) -> None:
        self._items: asyncio.Queue[Commit | Gap] = asyncio.Queue()
        self._store = store
        self.position = after
        self.task = asyncio.create_task(self._read(after), name="following a log")

    async def _read(self, after: Ts) -> None:
        async for item in self._store.changes(after):
            self._items.put_nowait(item)

    async def any_next(self) -> Commit | Gap:
        """Give the next item, empty commits included."""
        getting = asyncio.create_task(self._items.get())
        await asyncio.wait({getting, self.task}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        if not getting.done():
            getting.cancel()
            if self.task.done():
                self.task.result()
            raise AssertionError("nothing comes from the log")
        item = getting.result()
        if isinstance(item, Commit):
            assert item.ts > self.position, "the log went back in time or stood still"
        self.position = item.ts
        return item

    async def commit(self) -> Commit:
        """Give the next commit that says more than that time has advanced."""
        async with asyncio.timeout(PATIENCE):
            while True:
                item = await self.any_next()
                assert isinstance(item, Commit), item
                if item.writes or item.fence is not None:
                    return item

    async def gap(self) -> Gap:
        """Give the next gap, passing over commits."""
        async with asyncio.timeout(PATIENCE):
            while True:
                item = await self.any_next()
                if isinstance(item, Gap):
                    return item

    async def reach(self, ts: Ts) -> list[Commit]:
        """Read until ``ts`` is reached; give the commits that say something."""
        commits = []
        while self.position < ts:
            item = await self.any_next()
            assert isinstance(item, Commit), item
            if item.writes or item.fence is not None:
                commits.append(item)
        return commits


@contextlib.asynccontextmanager
async def reading_log(store: Store, after: Ts) -> AsyncIterator[LogReader]:
    """Read the log after ``after`` until the end of the block."""
    log = LogReader(store, after)
    try:
        yield log
    finally:
        log.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await log.task
