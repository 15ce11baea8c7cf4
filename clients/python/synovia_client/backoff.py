"""How long to wait before connecting again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter: the wait before attempt n is anywhere between 0 and ``initial * factor**n``.

    Full jitter spreads a thousand clients that lost the same hub over the whole interval, where a fixed wait would bring
    them back all at once.

    Attributes:
        initial: Upper bound of the first wait, in seconds.
        maximum: Upper bound of every wait, in seconds: so long at most after a hub is there again its clients are, too.
        factor: Growth from one attempt to the next.
        stable_after: A connection that lasted this many seconds starts the count over.
    """

    initial: float = 0.5
    maximum: float = 10.0
    factor: float = 2.0
    stable_after: float = 10.0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Draw the wait before an attempt.

        Args:
            attempt: How many connections have failed in a row before this one, from 0.
            random: Gives a number in [0, 1).
        """
        return random() * self.bound(attempt)

    def bound(self, attempt: int) -> float:
        """Tell the longest wait before an attempt; grows no further than ``maximum``, however large ``attempt`` is."""
        bound = self.initial
        for _ in range(attempt):
            if bound >= self.maximum:
                break
            bound *= self.factor
        return min(bound, self.maximum)
