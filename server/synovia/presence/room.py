"""Who is in a room, change by change: whoever was told up to one change is told what has come since."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NamedTuple

FEWEST_DEPARTURES: Final = 32
"""So many of those who have gone are remembered, and in a room of more as many as are there: to tell somebody who was told
before of everybody anew costs no more than that."""


class Claim(NamedTuple):
    """What one source says of somebody: a connection, or another hub of one of its connections.

    Attributes:
        since: When they came to it, in nanoseconds since 1970. Who has come to another hub is for a moment still at the one
            before: the latest counts.
    """

    since: int
    who: bytes
    state: bytes


class Changes(NamedTuple):
    """What has changed between two numbers.

    Attributes:
        here: Ids of those who have come, or are somebody else now.
        moved: Ids of those whose state alone has changed.
        left: Ids of those who have gone.
        whole: ``here`` are all.
    """

    here: list[tuple[str, Claim]]
    moved: list[tuple[str, Claim]]
    left: list[str]
    whole: bool


@dataclass(slots=True)
class _Present:
    """Somebody in a room.

    Attributes:
        claims: What is said of them, by source.
        shown: The claim that counts.
        first: The change by which they came.
        came: The newest change of who it is.
        changed: The newest change of anything.
    """

    claims: dict[Hashable, Claim]
    shown: Claim
    first: int
    came: int
    changed: int


class _Departure(NamedTuple):
    """Somebody who was there from one change to another."""

    name: str
    first: int
    went: int


class Room:
    """Those who are present, by their ids.

    Attributes:
        number: Of the newest change; 0 before the first.
    """

    def __init__(self) -> None:
        self.number = 0
        self._present: dict[str, _Present] = {}
        self._departures: deque[_Departure] = deque()
        self._forgotten = 0

    def __len__(self) -> int:
        return len(self._present)

    def show(self, name: str, source: Hashable, claim: Claim) -> bool:
        """Have somebody be here, as a source says; tell whether that changes what is seen."""
        known = self._present.get(name)
        if known is not None:
            known.claims[source] = claim
            return self._look_again(known)
        self.number += 1
        self._present[name] = _Present({source: claim}, claim, self.number, self.number, self.number)
        return True

    def _look_again(self, known: _Present) -> bool:
        before, known.shown = known.shown, max(known.claims.values(), key=lambda claim: claim.since)
        if before[1:] == known.shown[1:]:
            return False
        self.number += 1
        known.changed = self.number
        if before.who != known.shown.who:
            known.came = self.number
        return True

    def remove(self, name: str, source: Hashable) -> bool:
        """Have somebody be gone, as far as a source knows; tell whether that changes what is seen."""
        known = self._present.get(name)
        if known is None or known.claims.pop(source, None) is None:
            return False
        if known.claims:
            return self._look_again(known)
        self.number += 1
        del self._present[name]
        self._departures.append(_Departure(name, known.first, self.number))
        while len(self._departures) > max(FEWEST_DEPARTURES, len(self._present)):
            self._forgotten = self._departures.popleft().went
        return True

    def named_by(self, source: Hashable) -> list[str]:
        """Give the ids of those of whom a source says that they are here."""
        return [name for name, known in self._present.items() if source in known.claims]

    def since(self, number: int | None) -> Changes:
        """Give what has changed since a change; None: since ever, which is everybody."""
        if number is None or number < self._forgotten:
            return Changes([(name, each.shown) for name, each in self._present.items()], [], [], whole=True)
        return Changes(
            [(name, each.shown) for name, each in self._present.items() if each.came > number],
            [(name, each.shown) for name, each in self._present.items() if each.came <= number < each.changed],
            [name for name, first, _ in self._since_then(number) if first <= number and name not in self._present],
            whole=False,
        )

    def _since_then(self, number: int) -> Iterator[_Departure]:
        return takewhile(lambda departure: departure.went > number, reversed(self._departures))
