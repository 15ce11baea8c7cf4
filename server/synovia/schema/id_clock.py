"""The clock from which ids are made: each is greater than all that its hub has made or heard of.

A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): it follows the time of day, and never goes back.
What other hubs have read from theirs travels with their commits and moves it on, so an id that is made after a commit was
heard of is greater than the ids in it, however the hubs' times of day differ.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from bson import ObjectId

from synovia.schema.ids import make_id, reading_at
from synovia.schema.specs import Reading

_LATEST: Final = reading_at((1 << 32) * 1000) - reading_at(366 * 86_400_000)
"""A clock that says more is wrong; above it there is room for more ids than are ever made (their seconds end in 2106)."""
_START_BITS: Final = 12
"""A millisecond is counted from a random number below 2^12, so that hubs hardly ever have one reading."""


class IdClock:
    """The clock of one hub.

    Attributes:
        now: Tells the time of day in milliseconds since 1970.
        reading: The newest one that was made or heard of.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.reading: Reading = 0

    def advance(self, reading: Reading) -> None:
        """Take notice of a reading of another clock."""
        self.reading = max(self.reading, min(reading, _LATEST))

    def next(self) -> Reading:
        """Read the clock: more than ever before."""
        now = min(reading_at(max(self.now(), 0)), _LATEST) + secrets.randbits(_START_BITS)
        self.reading = max(self.reading + 1, now)
        return self.reading


class RunIds:
    """The ids that one run of a mutation makes.

    Attributes:
        first: The first reading, None as long as there is none.
        last: The newest.
    """

    def __init__(self, clock: IdClock) -> None:
        self._clock = clock
        self.first: Reading | None = None
        self.last: Reading | None = None

    def now(self) -> int:
        """Tell the time of day in milliseconds since 1970, which may be less than what an id made now holds."""
        return self._clock.now()

    def make(self) -> ObjectId:
        """Make an id."""
        self.last = self._clock.next()
        self.first = self.first or self.last
        return make_id(self.last)
