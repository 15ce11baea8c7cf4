"""When to connect again: at once, when the server has said, or after a wait that grows with every failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synovia_client.backoff import Backoff

RESTART_SECONDS = 15.0
"""After an orderly stop, how long a server that cannot be reached is taken for one that is starting."""


@dataclass
class Reconnection:
    """Counts the failures in a row, and tells a server that was stopped from one that has failed.

    Attributes:
        random: Gives a number in [0, 1).
    """

    backoff: Backoff
    random: Callable[[], float]
    _failures: int = 0
    _restarting_until: float = float("-inf")
    _spread: float = 0.0

    def after_stop(self, now: float, retry_after: float) -> float:
        """Give the wait after an orderly stop: the server has said it, at random for each client."""
        self._failures = 0
        self._restarting_until = now + RESTART_SECONDS
        self._spread = max(self.backoff.initial, retry_after)
        return retry_after

    def after_failure(self, now: float, welcomed_at: float | None, retry_after: float = 0.0) -> float:
        """Give the wait after a connection that broke, or could not be made.

        Args:
            now: The time, in seconds.
            welcomed_at: When the server had welcomed the client on it; None if it has not.
            retry_after: Seconds that the server asks to wait at least; of one that did not let the client in, exactly.
        """
        if welcomed_at is None and retry_after > 0:
            return retry_after
        if welcomed_at is None and now < self._restarting_until:
            return self.random() * self._spread
        if welcomed_at is not None and now - welcomed_at >= self.backoff.stable_after:
            self._failures = 0
        delay = self.backoff.delay(self._failures, self.random)
        self._failures += 1
        return max(retry_after, delay)
