"""Time, as something that can be handed in: tests move their own clock instead of sleeping."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol


class Clock(Protocol):
    """Seconds on a monotonic scale, and two ways to wait for them."""

    def time(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def deadline(self, seconds: float | None) -> Deadline:
        """Limit an ``async with`` block to this many seconds (None: no limit); TimeoutError afterwards."""
        ...


class Deadline(Protocol):
    """An ``async with`` block that ends with TimeoutError unless it is left, or extended, in time."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *exception: Any) -> None: ...

    def extend(self) -> None:
        """Start the time over: there was progress. Does nothing outside of the block."""
        ...


class LoopClock:
    """The clock of the running event loop."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def deadline(self, seconds: float | None) -> Deadline:
        return LoopDeadline(seconds)


class LoopDeadline:
    """``asyncio.timeout`` that knows its length, and that may be extended at any time, also when it is over."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self._inside = False

    async def __aenter__(self) -> object:
        self._inside = True
        return await self._timeout.__aenter__()

    async def __aexit__(self, *exception: Any) -> None:
        self._inside = False
        await self._timeout.__aexit__(*exception)

    def extend(self) -> None:
        if self._seconds is not None and self._inside and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)
