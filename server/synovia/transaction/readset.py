"""What a function read: documents by id and intervals of indexes, and whether a commit touches any of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import bson

from synovia import keys
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document, Reading
from synovia.store.base import Ts, Write
from synovia.store.filters import Filter, matches

Point = tuple[str, bytes]
"""A document: its table and its encoded id."""


@dataclass(frozen=True, slots=True)
class RangeRead:
    """An interval of an index that was read; only documents that satisfy ``where`` counted."""

    table: str
    index: IndexSpec
    interval: Interval
    where: Filter | None = None

    def admits(self, document: Document) -> bool:
        """Tell whether a document satisfies the condition."""
        return self.where is None or matches(self.where, document)

    def key_of(self, document: Document, order: Order) -> bytes | None:
        """Give the key under which a scan in this order meets a document first; None if it has none in the interval."""
        inside = [key for key in keys.index_keys(self.index, document) if key in self.interval]
        return None if not inside else inside[0] if order is Order.ASC else inside[-1]

    def holds(self, document: Document | None) -> bool:
        """Tell whether the read finds a document."""
        return (
            document is not None
            and any(key in self.interval for key in keys.index_keys(self.index, document))
            and self.admits(document)
        )


class KeyedWrite:
    """A write with the index keys of both its images, each computed once however many read sets ask."""

    __slots__ = ("_keys", "id_key", "write")

    def __init__(self, write: Write) -> None:
        self.write = write
        self.id_key = keys.encode_value(write.id)
        self._keys: dict[IndexSpec, list[tuple[bytes, Document]]] = {}

    def entries(self, index: IndexSpec) -> list[tuple[bytes, Document]]:
        """Give the index keys of the images before and after, each with its image."""
        found = self._keys.get(index)
        if found is None:
            images = [image for image in (self.write.before, self.write.after) if image is not None]
            found = [(key, image) for image in images for key in keys.index_keys(index, image)]
            self._keys[index] = found
        return found

    def touches(self, read: RangeRead) -> bool:
        """Tell whether a document came into, left or changed within what ``read`` looked at."""
        return any(key in read.interval and read.admits(image) for key, image in self.entries(read.index))


class KeyedCommit:
    """A commit prepared for many comparisons: its writes by table, with their keys.

    Attributes:
        fence: As of ``Commit``.
        clock: The newest reading from which this very commit made an id; 0 if it made none.
    """

    __slots__ = ("_size", "by_table", "clock", "fence", "points", "ts")

    def __init__(self, ts: Ts, writes: Iterable[Write], fence: int | None = None, clock: Reading = 0) -> None:
        self.ts = ts
        self.fence = fence
        self.clock = clock
        self.by_table: dict[str, list[KeyedWrite]] = defaultdict(list)
        self.points: set[Point] = set()
        self._size: int | None = None
        for write in writes:
            self.add(write)

    def add(self, write: Write) -> None:
        keyed = KeyedWrite(write)
        self.by_table[write.table].append(keyed)
        self.points.add((write.table, keyed.id_key))

    @property
    def size(self) -> int:
        """The bytes of the documents it holds, before and after."""
        if self._size is None:
            images = (image for each in self for image in (each.write.before, each.write.after) if image is not None)
            self._size = sum(len(bson.encode(image)) for image in images)
        return self._size

    def __iter__(self) -> Iterator[KeyedWrite]:
        for writes in self.by_table.values():
            yield from writes


@dataclass(slots=True)
class ReadSet:
    """What one run of a function read.

    Attributes:
        points: Documents read by id, found or not.
        ranges: Index intervals read.
        identity: Whether the function looked at who is calling.
        holds_until: When the answer stops to hold, in milliseconds since 1970, because the function looked at the time.
    """

    points: set[Point] = field(default_factory=set)
    ranges: set[RangeRead] = field(default_factory=set)
    identity: bool = False
    holds_until: int | None = None

    def overlaps(self, commit: KeyedCommit) -> bool:
        """Tell whether the commit changes anything that was read."""
        if not self.points.isdisjoint(commit.points):
            return True
        return any(
            write.touches(read)
            for read in self.ranges
            if read.table in commit.by_table
            for write in commit.by_table[read.table]
        )
