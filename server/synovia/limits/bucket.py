"""Token buckets: how much may come in a second, and how long to wait once more has come."""

from __future__ import annotations

BURST_SECONDS = 2.0
"""A bucket holds what may come in this time, and takes as much again on credit."""


class Bucket:
    """Fills at a steady rate.

    Args:
        rate: What may be taken in a second in the long run.
        now: The present time, in seconds of any clock; while it goes back, nothing is added.
        burst: What it holds; by default what comes in ``BURST_SECONDS``.
    """

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = rate * BURST_SECONDS if burst is None else burst
        self._level = self._burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take some, on credit if need be; give the share of a full bucket that is left."""
        burst = self._burst
        level = self._level + (now - self._at) * self._rate if now > self._at else self._level
        level = (level if level < burst else burst) - amount
        self._level = level = level if level > -2 * burst else -2 * burst
        self._at = now
        return level / burst

    def wait(self, now: float, reserve: float = 0.0) -> float:
        """Tell the seconds until there is no debt and a share ``reserve`` of a full bucket is left."""
        missing = reserve * self._burst - self._filled(now)
        return missing / self._rate if missing > 0 else 0.0

    def wait_for(self, amount: float, now: float) -> float:
        """Tell the seconds until so much, or all that it holds, can be taken without credit."""
        missing = min(amount, self._burst) - self._filled(now)
        return missing / self._rate if missing > 0 else 0.0

    def spend(self, amount: float, now: float) -> float:
        """Take some if it is there and tell 0; else take nothing and tell the seconds until it is."""
        wait = self.wait_for(amount, now)
        if wait <= 0:
            self.take(amount, now)
        return wait

    def full(self, now: float) -> bool:
        """Tell whether it holds all it can, so that a new one would be the same."""
        return self._filled(now) >= self._burst

    def _filled(self, now: float) -> float:
        level = self._level + (now - self._at) * self._rate if now > self._at else self._level
        return level if level < self._burst else self._burst
