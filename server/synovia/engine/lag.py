"""How far the log is behind the database, in seconds.

Instants of the database are no measure of that: its clock moves by itself when nothing is written, and a log that has to
catch up with many commits of one second is behind for much longer than a second. So what the database says of itself is
noted down with the time at which it did, and the lag is the age of the oldest note that the log has not come to.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from synovia.store.base import Ts

_MOST_NOTES = 1_000


class Lag:
    """What the database has told of its newest commit, as long as the log has not brought it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ahead: deque[tuple[Ts, float]] = deque()

    def note(self, newest: Ts) -> None:
        """Hear how far the database is now."""
        if self._ahead and newest <= self._ahead[-1][0]:
            return
        if len(self._ahead) >= _MOST_NOTES:  # for hours: every other note is exact enough
            self._ahead = deque(note for place, note in enumerate(self._ahead) if place % 2 == 0)
        self._ahead.append((newest, self._clock()))

    def seconds(self, head: Ts) -> float:
        """Tell for how long something at least has been waiting for the log, which is at ``head``."""
        while self._ahead and self._ahead[0][0] <= head:
            self._ahead.popleft()
        return self._clock() - self._ahead[0][1] if self._ahead else 0.0
