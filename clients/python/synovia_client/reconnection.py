"""When to connect again: at once, when the server has said, or after a wait that grows with every failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synovia_client.backoff import Backoff

RESTART_SECONDS = 15.0
"""After an orderly stop, how long a server that cannot be reached is taken for one that is starting."""
LEAST_WAIT, LONGEST_WAIT = 0.1, 300.0
"""Seconds, whatever the server asks for: one that stops again and again, or asks for years, is wrong about that."""
_TOKENS_AT_ONCE = 4
"""A client tries so many tokens in a row without a wait: the server's own, what renews it, and the program's twice."""


@dataclass
class Reconnection:
    """Counts the failures in a row, and tells a server that was stopped from one that has failed.

    Attributes:
        random: Gives a number in [0, 1).
    """

    backoff: Backoff
    random: Callable[[], float]
    _failures: int = 0
    _refused_tokens: int = 0
    _restarting_until: float = float("-inf")
    _spread: float = 0.0

    def after_stop(self, now: float, retry_after: float) -> float:
        """Give the wait after an orderly stop: the server has said it, at random for each client."""
        self._failures = self._refused_tokens = 0
        self._restarting_until = now + RESTART_SECONDS
        retry_after = min(max(LEAST_WAIT, retry_after), LONGEST_WAIT)
        self._spread = max(self.backoff.initial, retry_after)
        return retry_after

    def after_refused_token(self, now: float, welcomed_at: float | None) -> float:
        """Give the wait before another token is tried: none, unless the server takes none of those that it has given."""
        self._refused_tokens += 1
        return 0.0 if self._refused_tokens <= _TOKENS_AT_ONCE else self.after_failure(now, welcomed_at)

    def after_failure(self, now: float, welcomed_at: float | None, retry_after: float = 0.0) -> float:
        """Give the wait after a connection that broke, or could not be made.

        Args:
            now: The time, in seconds.
            welcomed_at: When the server had welcomed the client on it; None if it has not.
            retry_after: Seconds that the server asks to wait at least; of one that did not let the client in, exactly.
        """
        retry_after = min(retry_after, LONGEST_WAIT)
        if welcomed_at is None and retry_after > 0:
            return max(LEAST_WAIT, retry_after)
        if welcomed_at is None and now < self._restarting_until:
            return self.random() * self._spread
        if welcomed_at is not None and now - welcomed_at >= self.backoff.stable_after:
            self._failures = self._refused_tokens = 0
        delay = self.backoff.delay(self._failures, self.random)
        self._failures += 1
        return max(retry_after, delay)
