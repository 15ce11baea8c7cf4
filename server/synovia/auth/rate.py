"""How often one caller may do something: counted in memory, forgotten in time, bounded in size."""

from __future__ import annotations

from collections import OrderedDict

from synovia.auth.tokens import Clock

_MOST_CALLERS = 10_000


class RateLimited(Exception):
    """Too often; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("too many of these; try again later")
        self.retry_after = retry_after


class Rates:
    """A token bucket for each caller.

    Args:
        most: How many at once, and how many in ``seconds`` in the long run.
    """

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self._most = most
        self._rate = most / seconds
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one, or raise RateLimited."""
        now = self._clock()
        left, seen = self._buckets.pop(caller, (float(self._most), now))
        left = min(self._most, left + max(0.0, now - seen) * self._rate)
        self._buckets[caller] = (left - 1 if left >= 1 else left), now
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise RateLimited((1 - left) / self._rate)
