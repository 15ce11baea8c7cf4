"""How the scheduler of a hub is: whether it reads what is due, and finds places for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from synovia.engine.live_query import LiveQuery
from synovia.health import Level, PartHealth

MOST_UNREAD_SECONDS = 30.0
"""So long what is due may have changed without being read again."""
MOST_LATE_SECONDS = 60.0
"""So late what is due may be for want of a place."""


class SchedulerHealth:
    """What a runner has noticed of itself.

    Args:
        clock: Tells the time of day in seconds since 1970.

    Attributes:
        fault: What keeps it from reading what is due.
        waits_since: When the first of what has no place was due, in milliseconds since 1970; None: everything has one.
        live: The query of what is due, once it is followed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._unread: tuple[int, float] | None = (
            None  # as of when it was read last, and since when that is known to be old
        )
        self.fault: str | None = None
        self.waits_since: int | None = None
        self.live: LiveQuery | None = None

    @property
    def late(self) -> float:
        """For how many seconds something that is due has been waiting for a place."""
        return 0.0 if self.waits_since is None else max(0.0, self._clock() - self.waits_since / 1000)

    def part(self) -> PartHealth:
        """Say how it is."""
        unread = self._unread_for()
        if self.fault is not None:
            return PartHealth(self.fault, Level.FAILING)
        if unread > MOST_UNREAD_SECONDS:
            return PartHealth(f"what is due has not been read for {unread:.0f} s", Level.FAILING)
        if self.late > MOST_LATE_SECONDS:
            return PartHealth(f"what is due has been waiting for a place for {self.late:.0f} s", Level.DEGRADED)
        return PartHealth()

    def _unread_for(self) -> float:
        live = self.live
        if live is None or (live.loaded and live.dirty_at is None):
            self._unread = None
            return 0.0
        if self._unread is None or self._unread[0] != live.ran_at:
            self._unread = live.ran_at, time.monotonic()
        return time.monotonic() - self._unread[1]
