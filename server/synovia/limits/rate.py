"""How often one caller may do something: counted in memory, forgotten in time, bounded in size."""

from __future__ import annotations

from collections.abc import Callable

from synovia.limits.bucket import Bucket
from synovia.limits.recent import Recent

_MOST_CALLERS = 10_000


class LimitReached(Exception):
    """Too often; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("too many of these; try again later")
        self.retry_after = retry_after


class Rates:
    """A token bucket for each caller.

    Args:
        most: How many at once, and how many in ``seconds`` in the long run.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._rate = most / seconds
        self._clock = clock
        self._buckets = Recent[str, Bucket](_MOST_CALLERS)

    def take(self, caller: str) -> None:
        """Count one, or raise LimitReached."""
        now = self._clock()
        bucket = self._buckets.use(caller, lambda: Bucket(self._rate, now, self._most))
        if (wait := bucket.spend(1, now)) > 0:
            raise LimitReached(wait)
