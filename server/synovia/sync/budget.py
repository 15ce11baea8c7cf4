"""Token buckets: how much may come in a second, and how long to wait once more has come."""

from __future__ import annotations

BURST_SECONDS = 2.0
"""A bucket holds what may come in this time, and takes as much again on credit."""


class Bucket:
    """Fills at a steady rate up to ``BURST_SECONDS`` of it.

    Args:
        rate: What may be taken in a second in the long run.
        now: The present time, in seconds of any steady clock.
    """

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = rate * BURST_SECONDS if burst is None else burst
        self._level = self._burst
        self._at = now

    def take(self, amount: float, now: float) -> None:
        """Take some, on credit if need be."""
        level = min(self._burst, self._level + (now - self._at) * self._rate) - amount
        self._level = max(level, -2 * self._burst)
        self._at = now

    def wait(self, now: float, reserve: float = 0.0) -> float:
        """Tell the seconds until there is no debt and a share ``reserve`` of a full bucket is left."""
        return self.wait_for(reserve * self._burst, now)

    def wait_for(self, amount: float, now: float) -> float:
        """Tell the seconds until so much can be taken without credit."""
        missing = amount - self._level - (now - self._at) * self._rate
        return missing / self._rate if missing > 0 else 0.0

    def full(self, now: float) -> bool:
        """Tell whether it holds all it can, so that a new one would be the same."""
        return self._level + (now - self._at) * self._rate >= self._burst


class Meter:
    """Messages and bytes of one connection, or of one address.

    Args:
        messages, size: What may come in a second; ``size`` is in bytes.
    """

    __slots__ = ("_bytes", "_messages")

    def __init__(self, messages: float, size: float, now: float) -> None:
        self._messages = Bucket(messages, now)
        self._bytes = Bucket(size, now)

    def take(self, messages: float, size: float, now: float) -> None:
        """Count what has come."""
        self._messages.take(messages, now)
        self._bytes.take(size, now)

    def wait(self, now: float, reserve: float = 0.0) -> float:
        """Tell the seconds until there is no debt, and ``reserve`` is left."""
        return max(self._messages.wait(now, reserve), self._bytes.wait(now, reserve))

    def full(self, now: float) -> bool:
        """Tell whether a new one would be the same."""
        return self._messages.full(now) and self._bytes.full(now)
