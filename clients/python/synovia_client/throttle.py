"""Holding back calls of which the server has refused some because there were too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from synovia_client.clock import Clock
from synovia_protocol.errors import ErrorCode, ErrorInfo

LONGEST_WAIT = 60.0
"""Seconds; who is told to wait longer gives the error to the caller."""
LEAST_WAIT = 0.02
"""Seconds for which a call waits that a server has not run, also if it says that none are needed, and says so each time."""
_PLENTY = 64


class Throttle:
    """Says when calls may go again after ``rate_limited``, and how many at once: one at first, then twice as many.

    Args:
        ready: Called when calls may go again.
    """

    def __init__(self, clock: Clock, ready: Callable[[], None]) -> None:
        self._clock = clock
        self._ready = ready
        self._at_once: int | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[None]] = set()

    def refused(self, error: ErrorInfo | None) -> bool:
        """Look at the answer to a call; tell whether it was not run and is to be sent again, when ``admits`` says so."""
        seconds = seconds_to_wait(error)
        if seconds is None:
            self._passed()
            return False
        self._at_once = 1
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._wait(seconds), name="synovia-client throttle")
        return True

    def admits(self, in_flight: int) -> bool:
        """Tell whether another call may go, with so many in flight already."""
        return self._at_once is None or (self._waiting is None and in_flight < self._at_once)

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Call something after a time, unless this is closed before."""

        async def wait() -> None:
            await self._clock.sleep(seconds)
            then()

        task = asyncio.create_task(wait(), name="synovia-client postponed")
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def close(self) -> None:
        """Stop waiting."""
        for task in self._later:
            task.cancel()
        if self._waiting is not None:
            self._waiting.cancel()

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._waiting = None
        self._ready()

    def _passed(self) -> None:
        if self._at_once is not None:
            self._at_once = 2 * self._at_once if self._at_once < _PLENTY else None


def seconds_to_wait(error: ErrorInfo | None) -> float | None:
    """Give the seconds after which a call that has done nothing is to be made again; None: its error is to be told."""
    seconds = retry_after(error) if error is not None and error.code == ErrorCode.RATE_LIMITED else None
    return None if seconds is None or seconds > LONGEST_WAIT else max(LEAST_WAIT, seconds)


def retry_after(error: ErrorInfo) -> float | None:
    """Give the seconds after which an error says to try again; None if it does not say."""
    seconds: Any = error.data.get("retryAfter") if isinstance(error.data, dict) else None
    return float(seconds) if isinstance(seconds, (int, float)) and seconds >= 0 else None
