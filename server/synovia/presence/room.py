"""Who is in a room, change by change: whoever was told up to one change is told what has come since."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST_DEPARTURES: Final = 1_000
"""So many of those who have gone are remembered; who was told before is told of everybody anew."""


class Changes(NamedTuple):
    """What has changed between two numbers; who somebody is and their state are packed.

    Attributes:
        here: Id, who and state of those who have come, or are somebody else now.
        moved: Id and state of those whose state alone has changed.
        left: Ids of those who have gone.
        whole: ``here`` are all.
    """

    here: list[tuple[str, bytes, bytes]]
    moved: list[tuple[str, bytes]]
    left: list[str]
    whole: bool


@dataclass(slots=True)
class _Present:
    """Somebody in a room.

    Attributes:
        source: Who says so: what somebody else says of the same id later counts instead.
        first: The change by which the id was seen first.
        came: The newest change of who it is.
        changed: The newest change of anything.
    """

    source: Hashable
    who: bytes
    state: bytes
    first: int
    came: int
    changed: int


class Room:
    """Those who are present, by their ids.

    Attributes:
        number: Of the newest change; 0 before the first.
    """

    def __init__(self) -> None:
        self.number = 0
        self._present: dict[str, _Present] = {}
        self._gone: dict[
            str, tuple[int, int]
        ] = {}  # by id: the change by which it came first, and that by which it went
        self._forgotten = 0

    def __len__(self) -> int:
        return len(self._present)

    def __contains__(self, name: str) -> bool:
        return name in self._present

    def show(self, name: str, source: Hashable, who: bytes, state: bytes) -> bool:
        """Have somebody be here in this state; tell whether that is new."""
        known = self._present.get(name)
        if known is not None and (known.who, known.state) == (who, state):
            known.source = source
            return False
        self.number += 1
        if known is None:
            first, _ = self._gone.pop(name, (self.number, 0))
            self._present[name] = _Present(source, who, state, first, self.number, self.number)
            return True
        known.source, known.state, known.changed = source, state, self.number
        if known.who != who:
            known.who, known.came = who, self.number
        return True

    def remove(self, name: str, source: Hashable) -> bool:
        """Have somebody be gone, unless another source has shown them since; tell whether that is new."""
        known = self._present.get(name)
        if known is None or known.source != source:
            return False
        self.number += 1
        del self._present[name]
        self._gone[name] = known.first, self.number
        if len(self._gone) > MOST_DEPARTURES:
            oldest = next(iter(self._gone))
            self._forgotten = max(self._forgotten, self._gone.pop(oldest)[1])
        return True

    def named_by(self, source: Hashable) -> list[str]:
        """Give the ids of those of whom a source was the last to say that they are here."""
        return [name for name, known in self._present.items() if known.source == source]

    def since(self, number: int | None) -> Changes:
        """Give what has changed since a change; None: since ever, which is everybody."""
        if number is None or number < self._forgotten:
            return Changes([(name, each.who, each.state) for name, each in self._present.items()], [], [], whole=True)
        return Changes(
            [(name, each.who, each.state) for name, each in self._present.items() if each.came > number],
            [(name, each.state) for name, each in self._present.items() if each.came <= number < each.changed],
            [name for name, (first, went) in self._gone.items() if first <= number < went],
            whole=False,
        )
