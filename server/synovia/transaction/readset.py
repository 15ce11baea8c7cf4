"""What a function read: documents by id and intervals of indexes, and whether a commit touches any of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.store.base import Write
from synovia.store.filters import Filter, matches
from synovia.transaction.keyed import KeyedCommit, KeyedWrite, Point, keys_found, keys_in


class RangeRead(NamedTuple):
    """An interval of an index that was read; only documents that satisfy ``where`` counted."""

    table: str
    index: IndexSpec  # type: ignore[assignment]  # nobody looks for a place in one
    interval: Interval
    where: Filter | None = None

    def admits(self, document: Document) -> bool:
        """Tell whether a document satisfies the condition."""
        return self.where is None or matches(self.where, document)

    def key_of(self, document: Document, order: Order) -> bytes | None:
        """Give the key under which a scan in this order meets a document first; None if it has none in the interval."""
        return self.first_of(keys_in(self.index, document), order)

    async def key_found(self, document: Document, order: Order) -> bytes | None:
        """Find the same, in turns with others if the document has many keys."""
        return self.first_of(await keys_found(self.index, document), order)

    def first_of(self, found: Iterable[bytes], order: Order) -> bytes | None:
        """Give the one of some keys that a scan in this order meets first; None if none is in the interval."""
        low, high = self.interval.low, self.interval.high
        inside = [key for key in found if low <= key < high]
        return min(inside, default=None) if order is Order.ASC else max(inside, default=None)

    def holds(self, document: Document | None) -> bool:
        """Tell whether the read finds a document."""
        return (
            document is not None
            and any(key in self.interval for key in keys_in(self.index, document))
            and self.admits(document)
        )

    def growth(self, write: Write) -> int:
        """Tell by how many documents a write makes grow what the read finds: 1, 0 or -1."""
        return int(self.holds(write.after)) - int(self.holds(write.before))

    def writes_of(self, commit: KeyedCommit) -> list[KeyedWrite]:
        """List the writes with a key in the interval, before or after; whether they satisfy the condition is not asked."""
        return list({id(write): write for write, _ in commit.within(self.table, self.index, self.interval)}.values())

    def is_touched(self, commit: KeyedCommit) -> bool:
        """Tell whether a document came into, left or changed within what was read."""
        return any(self.admits(image) for _, image in commit.within(self.table, self.index, self.interval))


@dataclass(slots=True)
class ReadSet:
    """What one run of a function read.

    Attributes:
        points: Documents read by id, found or not.
        ranges: Index intervals read.
        identity: Whether the function looked at who is calling.
        holds_until: When the answer stops to hold, in milliseconds since 1970, because the function looked at the time.
        renewed_at: When an address in the answer is to be replaced by a fresh one, long before it expires.
    """

    points: set[Point] = field(default_factory=set)
    ranges: set[RangeRead] = field(default_factory=set)
    identity: bool = False
    holds_until: int | None = None
    renewed_at: int | None = None

    @property
    def due(self) -> int | None:
        """When the answer has to be found anew even if nothing is written; None: never."""
        if self.holds_until is None and self.renewed_at is None:
            return None
        return min((each for each in (self.holds_until, self.renewed_at) if each is not None), default=None)

    def overlaps(self, commit: KeyedCommit) -> bool:
        """Tell whether the commit changes anything that was read."""
        if not commit.points.keys().isdisjoint(self.points):
            return True
        return any(read.is_touched(commit) for read in self.ranges if read.table in commit.by_table)
