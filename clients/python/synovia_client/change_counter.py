"""A counter of changes that tasks can wait for."""

from __future__ import annotations

import asyncio


class ChangeCounter:
    """Counts changes. Waiting names the last count seen, so no change is missed and a slow watcher skips to the newest."""

    def __init__(self) -> None:
        self.count = 0
        self._waiters: set[asyncio.Future[None]] = set()

    def bump(self) -> None:
        """Note a change and wake everyone who waits."""
        self.count += 1
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def after(self, seen: int) -> int:
        """Wait until there was a change after ``seen``, and give the count of the newest."""
        while self.count <= seen:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
        return self.count
