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
        live: The queries of what is due, once they are followed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._unread: dict[LiveQuery, tuple[int, float]] = {}
        """Of those that are old: as of when they were read last, and since when they are known to be."""
        self.fault: str | None = None
        self.waits_since: int | None = None
        self.live: list[LiveQuery] = []

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
        known, now = self._unread, time.monotonic()
        self._unread = {
            live: found if (found := known.get(live)) is not None and found[0] == live.ran_at else (live.ran_at, now)
            for live in self.live
            if not live.loaded or live.dirty_at is not None
        }
        return max((now - since for _, since in self._unread.values()), default=0.0)
