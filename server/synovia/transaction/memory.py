"""What a live query read the last time, rolled forward over the commits since, so that a rerun need not ask the database.

A scan's result as of one timestamp and the commits after it determine its result as of a later one: documents that
changed are taken out and put in again at the place of their new keys. A scan that stopped at its limit is read again when so
many documents have left it that its end is no longer known. Documents that did not change are the same objects as before,
which is what makes dumping, packing and comparing them again unnecessary (see ``rows``).
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from synovia import keys
from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.store.base import Snapshot, Ts
from synovia.store.filters import Filter
from synovia.transaction.footprint import of_many
from synovia.transaction.keyed import FEW, KeyedCommit, KeyedWrite, Point
from synovia.transaction.readset import RangeRead
from synovia.transaction.rolling import rolled_count, rolled_tally
from synovia.turns import Turns

_SAMPLE: Final = 8
"""So many documents of a scan are measured."""
_ENTRY_BYTES: Final = 140
"""A tuple with a key of usual length."""


@dataclass(slots=True)
class KeptScan:
    """The result of a scan, in its order.

    The keys at which it met the documents are found only when a commit has moved one of them: most scans are never rolled
    forward, and where a document has many keys, as a text has words, to find them takes longer than to read it.

    Attributes:
        complete: Whether the scan came to the end of its interval.
    """

    read: RangeRead
    order: Order
    limit: int | None
    found: Sequence[Document]
    complete: bool
    _entries: list[tuple[bytes, Document]] | None = None  # with the keys, in ascending order of these

    @classmethod
    def of(cls, read: RangeRead, order: Order, limit: int | None, found: Sequence[Document]) -> KeptScan:
        """Keep what a scan gave."""
        return cls(read, order, limit, found, limit is None or len(found) < limit)

    def documents(self) -> list[Document]:
        return list(self.found)

    def footprint(self) -> int:
        """Estimate the bytes of the documents, and of the keys that are known or may be needed."""
        return of_many(self.found, len(self.found), sample=_SAMPLE) + len(self.found) * _ENTRY_BYTES

    async def _keyed(self, turns: Turns) -> list[tuple[bytes, Document]]:
        if self._entries is None:
            entries = list[tuple[bytes, Document]]()
            for document in self.found if self.order is Order.ASC else reversed(self.found):
                entries.append((await self.read.key_found(document, self.order) or b"", document))
                await turns.step()
            self._entries = entries
        return self._entries

    async def rolled(self, commit: KeyedCommit, turns: Turns, least: int | None = None) -> KeptScan | None:
        """Give the result after a commit; None if it took so much away that the database has to be asked.

        Args:
            least: So many documents will do, if there are more; by default the limit of the scan.
        """
        gone, come = await self._moves(commit, turns)
        if not gone and not come:
            return self
        known = await self._keyed(turns)
        entries, complete = _without(known, gone), self.complete
        come = [entry for entry in come if complete or self._is_known(known, entry[0])]
        if len(come) <= FEW:
            for entry in come:
                entries.insert(_place(entries, entry[0]), entry)
        else:
            entries = sorted([*entries, *come], key=_first)
        if self.limit is not None and len(entries) > self.limit:
            entries = entries[: self.limit] if self.order is Order.ASC else entries[-self.limit :]
            complete = False
        if complete or len(entries) >= ((self.limit or 0) if least is None else least):
            documents = [document for _, document in entries]
            found = documents if self.order is Order.ASC else documents[::-1]
            return KeptScan(self.read, self.order, self.limit, found, complete, entries)
        return None

    async def _moves(self, commit: KeyedCommit, turns: Turns) -> tuple[set[bytes], list[tuple[bytes, Document]]]:
        """Give the keys of what a commit takes out, and the entries that it puts in."""
        gone, come = set[bytes](), list[tuple[bytes, Document]]()
        for each in self.read.writes_of(commit):
            before, after = self._key(each, each.write.before), self._key(each, each.write.after)
            if before is not None:
                gone.add(before)
            if after is not None and each.write.after is not None:
                come.append((after, each.write.after))
            await turns.step()
        return gone, come

    def _key(self, write: KeyedWrite, image: Document | None) -> bytes | None:
        if image is None or not self.read.admits(image):
            return None
        return self.read.first_of([key for key, of in write.entries(self.read.index) if of is image], self.order)

    def _is_known(self, entries: Sequence[tuple[bytes, Document]], key: bytes) -> bool:
        """Tell whether a key lies no further than the last one met, beyond which nothing is known."""
        if not entries:
            return False
        return key <= entries[-1][0] if self.order is Order.ASC else key >= entries[0][0]


def _first(entry: tuple[bytes, Document]) -> bytes:
    return entry[0]


def _place(entries: list[tuple[bytes, Document]], key: bytes) -> int:
    """Give the place of a key, or where it belongs; documents are not compared: a tuple is less than a longer one."""
    return bisect.bisect_left(entries, (key,))


def _without(entries: list[tuple[bytes, Document]], gone: set[bytes]) -> list[tuple[bytes, Document]]:
    """Give entries without those that have one of some keys."""
    if len(gone) > FEW:
        return [entry for entry in entries if entry[0] not in gone]
    entries = list(entries)
    for key in gone:
        place = _place(entries, key)
        if place < len(entries) and entries[place][0] == key:
            del entries[place]
    return entries


@dataclass(slots=True)
class Memory:
    """Everything that one run read from the database, as of ``ts``."""

    ts: Ts
    scans: dict[tuple[RangeRead, Order, int | None], KeptScan] = field(default_factory=dict)
    points: dict[Point, Document | None] = field(default_factory=dict)
    counts: dict[RangeRead, int] = field(default_factory=dict)
    least_counts: dict[RangeRead, int] = field(default_factory=dict)
    tallies: dict[tuple[RangeRead, Summary], Tally] = field(default_factory=dict)

    @property
    def size(self) -> int:
        groups = sum([len(tally.cells) for tally in self.tallies.values()]) if self.tallies else 0
        return len(self.points) + groups + sum([len(kept.found) for kept in self.scans.values()])

    def documents_footprint(self) -> int:
        """Estimate the bytes of the documents and of their keys."""
        some = [*islice(self.points.values(), 0, None, 1 + len(self.points) // _SAMPLE)]
        points = of_many(some, len(self.points), sample=_SAMPLE)
        return points + sum([kept.footprint() for kept in self.scans.values()])

    def tallies_footprint(self) -> int:
        """Estimate the bytes of the tallies."""
        return sum([tally.footprint() for tally in self.tallies.values()]) if self.tallies else 0


class RememberingSnapshot:
    """A snapshot that answers from an earlier run's memory where it can, and notes what it read for the next run.

    Args:
        snapshot: The database as of the timestamp wanted.
        memory: What the earlier run read; None: nothing.
        since: Every commit after ``memory.ts`` up to the timestamp wanted.
    """

    def __init__(self, snapshot: Snapshot, memory: Memory | None, since: Sequence[KeyedCommit]) -> None:
        self._snapshot = snapshot
        self._old = memory or Memory(snapshot.ts)
        self._since = since if memory else ()
        self._turns = Turns()
        self.memory = Memory(snapshot.ts)
        self.asked = 0

    @property
    def ts(self) -> Ts:
        return self._snapshot.ts

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        points = [(table, keys.encode_value(id_)) for id_ in ids]
        missing = [(point, id_) for point, id_ in zip(points, ids, strict=True) if not self._recall_point(point)]
        if missing:
            self.asked += 1
            found = await self._snapshot.get(table, [id_ for _, id_ in missing])
            self.memory.points.update(zip([point for point, _ in missing], found, strict=True))
        return [self.memory.points[point] for point in points]

    def _recall_point(self, point: Point) -> bool:
        if point in self.memory.points:
            return True
        if point not in self._old.points:
            return False
        document = self._old.points[point]
        for commit in self._since:
            if (write := commit.points.get(point)) is not None:
                document = write.write.after
        self.memory.points[point] = document
        return True

    async def scan(
        self,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order = Order.ASC,
        *,
        where: Filter | None = None,
        limit: int | None = None,
    ) -> list[Document]:
        place = RangeRead(table, index, interval, where), order, limit
        kept = self.memory.scans.get(place) or await self._recall_scan(place)
        if kept is None:
            self.asked += 1
            found = await self._snapshot.scan(table, index, interval, order, where=where, limit=limit)
            kept = KeptScan.of(*place, found)
        self.memory.scans[place] = kept
        return kept.documents()

    async def _recall_scan(self, place: tuple[RangeRead, Order, int | None]) -> KeptScan | None:
        kept = self._old.scans.get(place)
        for commit in self._since:
            if kept is not None:
                kept = await kept.rolled(commit, self._turns)
        return kept

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        read = RangeRead(table, index, interval, where)
        count = self._old.counts.get(read)
        if count is not None:
            count = await rolled_count(count, read, self._since, self._turns)
        elif limit is not None:
            return await self._count_to(limit, read)
        else:
            self.asked += 1
            count = await self._snapshot.count(table, index, interval, where=where)
        self.memory.counts[read] = count
        return count if limit is None else min(count, limit)

    async def _count_to(self, limit: int, read: RangeRead) -> int:
        """Count up to a limit; where that was reached before, as long as there are still so many."""
        least = self._old.least_counts.get(read)
        if least is not None and (least := await rolled_count(least, read, self._since, self._turns)) >= limit:
            self.memory.least_counts[read] = least
            return limit
        self.asked += 1
        count = await self._snapshot.count(read.table, read.index, read.interval, where=read.where, limit=limit)
        (self.memory.counts if count < limit else self.memory.least_counts)[read] = count
        return count

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        read = RangeRead(table, index, interval, where)
        old = self._old.tallies.get((read, summary))
        tally = None if old is None else await rolled_tally(old, read, self._since, self._turns)
        if tally is None:
            self.asked += 1
            tally = await self._snapshot.aggregate(table, index, interval, summary, where=where)
        self.memory.tallies[read, summary] = tally
        return tally
