"""How often an action is tried again when it fails, and how long is waited in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from synovia.errors import SchemaError

MOST_ATTEMPTS = 1_000


@dataclass(frozen=True, slots=True)
class Retry:
    """Try an action again when it fails, or when the hub that ran it is gone.

    The work may then have been done already, so the action has to bear being run several times. Without a policy an action
    is run once and never again.

    Args:
        attempts: Runs in all, the first one included.
        first: The wait after the first failure.
        factor: How much longer each further wait is.
        limit: The longest wait.

    Raises:
        SchemaError: One of these cannot work.
    """

    attempts: int = 5
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    limit: timedelta = timedelta(minutes=10)

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= MOST_ATTEMPTS:
            raise SchemaError(f"Retry: attempts is 1 to {MOST_ATTEMPTS}")
        if not timedelta() < self.first <= self.limit:
            raise SchemaError("Retry: first is more than nothing and at most limit")
        if not 1 <= self.factor <= 100:
            raise SchemaError("Retry: factor is 1 to 100")

    def delay(self, failures: int, random: Random) -> int:
        """Tell how long to wait after so many failures, in milliseconds.

        Up to a quarter of the wait is left out at random, so that what failed together does not come back together.
        """
        wait, limit = self.first.total_seconds(), self.limit.total_seconds()
        for _ in range(failures - 1):
            wait = min(limit, wait * self.factor)
        return round(1000 * wait * (1 - 0.25 * random.random()))


ONCE = Retry(attempts=1)
