"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from helpers.patience import PATIENCE
from synovia_client.change_counter import ChangeCounter


class ManualClock:
    """Implements ``synovia_client.Clock``; whoever waits for it waits until ``advance``.

    Attributes:
        now: The time, in seconds.
        waits: The length of every sleep so far, in seconds.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._changed = ChangeCounter()
        self._timers: dict[object, tuple[float, float, Callable[[], None]]] = {}

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.start(over, seconds, lambda: _finish(over))
        try:
            await over
        finally:
            self.stop(over)

    def deadline(self, seconds: float | None) -> ManualDeadline:
        return ManualDeadline(self, seconds)

    def start(self, key: object, seconds: float, fire: Callable[[], None]) -> None:
        """Begin, or begin again, a timer."""
        self._timers[key] = (self.now + seconds, seconds, fire)
        self._changed.bump()

    def stop(self, key: object) -> None:
        """End a timer."""
        if self._timers.pop(key, None) is not None:
            self._changed.bump()

    def advance(self, seconds: float) -> None:
        """Move the time on, and fire what is due."""
        self.now += seconds
        for key, (due, _, fire) in list(self._timers.items()):
            if due <= self.now:
                self.stop(key)
                fire()

    async def awaited(self, seconds: float) -> None:
        """Wait until somebody sleeps, or has a deadline, of exactly this length."""
        async with asyncio.timeout(PATIENCE):
            while seconds not in (length for _, length, _ in self._timers.values()):
                await self._changed.after(self._changed.count)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class ManualDeadline:
    """Implements ``synovia_client.Deadline``."""

    def __init__(self, clock: ManualClock, seconds: float | None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._inside = False

    async def __aenter__(self) -> object:
        self._inside = True
        entered = await self._timeout.__aenter__()
        self.extend()
        return entered

    async def __aexit__(self, *exception: Any) -> None:
        self._inside = False
        self._clock.stop(self)
        await self._timeout.__aexit__(*exception)

    def extend(self) -> None:
        if self._seconds is not None and self._inside:
            self._clock.start(self, self._seconds, self._expire)

    def _expire(self) -> None:
        self._timeout.reschedule(asyncio.get_running_loop().time())
