"""Documents as they are at the head of the log, by id: read or written once, and from then on kept current by the commits.

A mutation that finds here all it reads runs without giving way to others, so no other can overtake it. What was written and
not read yet takes only room that is left, and goes first: however much is written, it drives out nothing that was read.

Of keys of indexes that were looked up it is kept which documents have them; see ``index_lookups``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from synovia import keys
from synovia.schema import Document
from synovia.store.base import Gap, Ts
from synovia.transaction.footprint import footprint
from synovia.transaction.index_lookups import IndexKey, IndexLookups, Lookup
from synovia.transaction.keyed import KeyedCommit, Point

MOST_BYTES: Final = 64 * 1024 * 1024
_LOOKUPS_SHARE: Final = 8
"""One part in so many of all bytes may be look-ups."""
_LARGEST: Final = 256 * 1024
"""Larger documents are not kept: they would drive out too many others."""
_MOST_WRITTEN: Final = 1_000
"""What is new of a larger commit is not kept: the event loop would be held up by measuring it."""
_BASE: Final = 300
"""What an entry costs beside its document."""

Cached = tuple[Document | None, Ts, int]
"""A document (None: there is none), since when it is known to be so, and the bytes of it."""


class Reading:
    """Documents that are being read; ``overtaken`` are those that a commit has changed meanwhile."""

    __slots__ = ("overtaken", "points")

    def __init__(self, points: Iterable[Point]) -> None:
        self.points = tuple(points)
        self.overtaken: set[Point] = set()


class DocumentCache:
    """The documents that were read last.

    Args:
        most_bytes: How much is kept, as estimated.

    Attributes:
        head: Everything up to this timestamp has been taken in.
        lookups: Which documents have the keys of indexes that were looked up.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Point, Cached] = OrderedDict()
        self._readings: dict[Point, list[Reading]] = {}
        self._documents_bytes = 0
        self.lookups = IndexLookups(most_bytes // _LOOKUPS_SHARE)
        self.head: Ts = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """What is kept."""
        return self._documents_bytes + self.lookups.bytes

    def find(self, point: Point, ts: Ts) -> Cached | None:
        """Give a document as of ``ts``, None if that is not known."""
        kept = self._kept.get(point)
        if kept is None or not kept[1] <= ts <= self.head:
            return None
        self._kept.move_to_end(point)
        return kept

    def begin(self, points: Iterable[Point], ts: Ts) -> Reading | None:
        """Note that documents are going to be read as of ``ts``; None if the answer could not be kept."""
        if ts != self.head:
            return None
        reading = Reading(points)
        for point in reading.points:
            self._readings.setdefault(point, []).append(reading)
        return reading

    def end(self, reading: Reading, ts: Ts, found: Iterable[Document | None] = ()) -> None:
        """Keep what was read, unless it has been changed meanwhile; nothing if the reading has failed."""
        for point in reading.points:
            others = self._readings[point]
            others.remove(reading)
            if not others:
                del self._readings[point]
        for point, document in zip(reading.points, found, strict=False):
            if point not in reading.overtaken:
                self._keep(point, document, ts)

    def find_with(self, key: IndexKey, ts: Ts) -> list[Document] | None:
        """Give the documents with a key of an index as of ``ts``, in the order of their ids; None if that is not known."""
        points = self.lookups.find(key, ts) if ts <= self.head else None
        if points is None:
            return None
        documents = list[Document]()
        for point in points:
            kept = self.find(point, ts)
            if kept is None or kept[0] is None:
                return None
            documents.append(kept[0])
        return documents

    def begin_lookup(self, key: IndexKey, ts: Ts) -> Lookup | None:
        """Note that the documents with a key are going to be looked up; None if the answer could not be kept."""
        return self.lookups.begin(key) if ts == self.head else None

    def end_lookup(self, lookup: Lookup, ts: Ts, found: Sequence[Document] | None) -> None:
        """Keep what was found, unless a commit has written a document with the key; None: that is not all, or has failed."""
        table = lookup.key[0]
        points = None if found is None else [(table, keys.encode_value(document["_id"])) for document in found]
        if self.lookups.end(lookup, ts, points) and found and points:
            for point, document in zip(points, found, strict=True):
                if point not in self._kept:
                    self._put(point, document, ts)
        self._trim()

    def on_change(self, change: KeyedCommit | Gap) -> None:
        """Take in what the log brings."""
        self.head = max(self.head, change.ts)
        if isinstance(change, Gap):
            self.forget_all()
            return
        for point in [point for point in self._readings if point in change.points]:
            for reading in self._readings[point]:
                reading.overtaken.add(point)
        self.lookups.on_change(change)
        self._trim()
        # Not by a difference of the two views: that goes over all that is kept.
        has_room = len(change.points) <= _MOST_WRITTEN and self.bytes < self._most_bytes
        for point, keyed in change.points.items():
            after = keyed.write.after
            if point in self._kept:
                self._replace(point, after, change.ts)
            elif has_room and after is not None:
                self._keep_if_there_is_room(point, after, change.ts)

    def forget(self, points: Iterable[Point]) -> None:
        """Forget documents, and what was looked up in their tables: the database holds that they are different."""
        for point in points:
            self._drop(point)
            self.lookups.forget(point[0])

    def forget_all(self) -> None:
        """Forget every document."""
        self._kept.clear()
        self._documents_bytes = 0
        self.lookups.forget_all()
        for point, readings in self._readings.items():
            for reading in readings:
                reading.overtaken.add(point)

    def _keep_if_there_is_room(self, point: Point, document: Document, ts: Ts) -> None:
        size = _size(point, document)
        if size <= min(_LARGEST, self._most_bytes - self.bytes):
            self._kept[point] = document, ts, size
            self._kept.move_to_end(point, last=False)
            self._documents_bytes += size

    def _keep(self, point: Point, document: Document | None, ts: Ts) -> None:
        self._drop(point)
        self._put(point, document, ts)

    def _replace(self, point: Point, document: Document | None, ts: Ts) -> None:
        """Keep what a document is now, as long as what it was would have been."""
        self._documents_bytes -= self._kept[point][2]
        self._put(point, document, ts)

    def _put(self, point: Point, document: Document | None, ts: Ts) -> None:
        size = _size(point, document)
        if size > _LARGEST:
            self._kept.pop(point, None)
            return
        self._kept[point] = document, ts, size
        self._documents_bytes += size
        if self._documents_bytes + self.lookups.bytes > self._most_bytes:
            self._trim()

    def _trim(self) -> None:
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, point: Point) -> None:
        kept = self._kept.pop(point, None)
        if kept is not None:
            self._documents_bytes -= kept[2]


def _size(point: Point, document: Document | None) -> int:
    return _BASE + len(point[1]) + footprint(document)
