"""Until when results hold although nothing is written: those of queries that have looked at the time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Final

from synovia.engine.live_query import LiveQuery
from synovia.functions.context import FOREVER

LONGEST_SLEEP: Final = 10.0
"""So many seconds at most until the clock is looked at again while an answer holds for a time."""
_WENT_BACK_MS: Final = 1_000


class Expiries:
    """Has results found anew when they do not hold any more.

    Args:
        now: Tells the time in ms since 1970.
        outdate: Has one found anew.
    """

    def __init__(self, now: Callable[[], int], outdate: Callable[[LiveQuery], None]) -> None:
        self._now = now
        self._outdate = outdate
        self._due: list[tuple[int, int, LiveQuery]] = []  # a heap
        self._order = itertools.count()
        self._timed: set[LiveQuery] = set()  # what looked at the time when it was run last
        self._looked_at = 0
        self._alarm: asyncio.TimerHandle | None = None

    def note(self, live: LiveQuery, due: int | None) -> None:
        """Note until when the newest result of a query holds, in ms since 1970; None: it has not looked at the time."""
        live.holds_until = due
        self._timed.discard(live)
        if due is None:
            return
        now = self._now()
        self._looked_at = max(self._looked_at, now)
        self._timed.add(live)
        if due < FOREVER:
            heapq.heappush(self._due, (due, next(self._order), live))
        self._set_alarm(now)

    def forget(self, live: LiveQuery) -> None:
        """Leave a query to itself, since it has been given up."""
        self._timed.discard(live)

    def look(self) -> bool:
        """Have found anew what no longer holds; if the clock was set back, all that looked at it.

        Returns:
            Whether there is something of that.
        """
        now, found = self._now(), False
        if now < self._looked_at - _WENT_BACK_MS:
            self._due.clear()
            for live in list(self._timed):
                self._outdate(live)
                found = True
        self._looked_at = now
        while self._due and self._due[0][0] <= now:
            due, _, live = heapq.heappop(self._due)
            if live.holds_until == due:
                self._outdate(live)
                found = True
        self._set_alarm(now)
        return found

    def _set_alarm(self, now: int) -> None:
        self.stop()
        if self._timed:
            seconds = max(0, self._due[0][0] - now) / 1000 if self._due else LONGEST_SLEEP
            # The loop's time is not that of the day, which may jump, or go on while the machine sleeps: look now and then.
            self._alarm = asyncio.get_running_loop().call_later(min(seconds + 0.001, LONGEST_SLEEP), self.look)

    def stop(self) -> None:
        """Look no more, until something is noted."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
