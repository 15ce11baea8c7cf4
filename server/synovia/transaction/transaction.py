"""One run's view of the database: a snapshot, what was read of it, and the writes that wait for the commit."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from synovia import keys
from synovia.aggregates.tally import Summary, Tally, tally_of
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.sealing.keyring import Keyring
from synovia.store.base import Bodies, Snapshot, StoreError, Write, joined
from synovia.store.filters import Filter
from synovia.transaction.budget import WriteBudget
from synovia.transaction.cost import ReadCost
from synovia.transaction.keyed import AtHand, Point, nothing_at_hand
from synovia.transaction.pending import PendingWrites
from synovia.transaction.readset import RangeRead, ReadSet
from synovia.transaction.rolling import move
from synovia.turns import Turns

MANY = 10_000
"""So many documents of scans are remembered: whoever looks up one is likely to change it."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan of an index, as the query builder asks for it."""

    table: str
    index: IndexSpec
    interval: Interval
    order: Order = Order.ASC
    where: Filter | None = None


class Transaction:
    """Reads go to the snapshot with the pending writes laid over them; everything read is recorded.

    Args:
        budget: How much may be written; None: without a bound.
        keyring: Seals and opens encrypted fields of what is read and written.

    Attributes:
        revisions: How often what is to be seen of a table has been changed, by its name.
    """

    def __init__(self, snapshot: Snapshot, budget: WriteBudget | None = None, keyring: Keyring | None = None) -> None:
        self.snapshot = snapshot
        self._at_hand: AtHand = getattr(snapshot, "at_hand", nothing_at_hand)
        self.keyring = keyring
        self.budget = budget
        self.reads = ReadSet()
        self.cost = ReadCost()
        self.revisions: dict[str, int] = defaultdict(int)
        self._pending: dict[str, PendingWrites] = defaultdict(PendingWrites)
        self._written = 0
        self._known: dict[Point, Document | None] = {}  # a snapshot does not change: nothing is read twice
        self._scanned: dict[str, list[Document]] = {}  # what is not among these yet
        self._remembered = 0

    @property
    def writes(self) -> list[Write]:
        """The writes so far, without those that cancel out."""
        return [
            write
            for pending in self._pending.values()
            for write in pending.by_id.values()
            if not (write.before is None and write.after is None)
        ]

    def pending(self, table: str) -> Collection[Write]:
        """Give the writes of a table so far."""
        return self._pending[table].by_id.values() if table in self._pending else ()

    @property
    def documents_read(self) -> int:
        """How many documents were read, by id or by scans."""
        by_scans = self.cost.documents
        return len(self.reads.points) + (sum(by_scans.values()) if by_scans else 0)

    @property
    def documents_written(self) -> int:
        """How many documents are written so far, also if writes cancel out."""
        return self._written

    async def get(self, table: str, id_: Any) -> Document | None:
        """Read one document by its id."""
        point = table, keys.encode_value(id_)
        self.reads.points.add(point)
        if (pending := self._pending.get(table)) is not None and (write := pending.by_id.get(point[1])) is not None:
            return write.after
        if table in self._scanned:
            self._know_scanned(table)
        if point not in self._known:
            found = self._at_hand(point)
            self._known[point] = (await self.snapshot.get(table, [id_]) if found is None else found)[0]
        return self._known[point]

    async def get_many(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        """Read documents by their ids, in the same order; those that are not known yet with one question."""
        points = [(table, keys.encode_value(id_)) for id_ in ids]
        self.reads.points.update(points)
        self._know_scanned(table)
        pending = self._pending[table].by_id if table in self._pending else {}
        asked = {
            point: id_
            for point, id_ in zip(points, ids, strict=True)
            if point[1] not in pending and point not in self._known
        }
        if asked:
            found = await self.snapshot.get(table, list(asked.values()))
            self._known.update(zip(asked, found, strict=True))
        return [pending[point[1]].after if point[1] in pending else self._known[point] for point in points]

    async def scan(self, scan: Scan, limit: int | None = None) -> list[Document]:
        """Read an interval of an index, at most ``limit`` documents of it, in the order of their keys."""
        pending = self._pending.get(scan.table)
        # Pending writes may take documents away from what the snapshot gives: ask for as many more.
        wanted = None if limit is None else limit + (0 if pending is None else pending.taking)
        try:
            found = await self.snapshot.scan(
                scan.table, scan.index, scan.interval, scan.order, where=scan.where, limit=wanted
            )
        except (StoreError, asyncio.CancelledError):
            self._note_unread(scan)
            raise
        self.cost.add(scan.table, scan.index.name, len(found))
        self._remember(scan.table, found)
        if pending is not None:
            found = _overlay(scan, found, pending, complete=wanted is None or len(found) < wanted)
        if limit is None or len(found) < limit:
            self._record(scan, scan.interval)
            return found
        found = found[:limit]
        self._record(scan, _as_far_as(scan, found[-1]) if found else keys.EMPTY)
        return found

    async def count(self, scan: Scan) -> int:
        """Count the documents of an interval."""
        read = self._record(scan, scan.interval)
        with self._reading(scan):
            count = await self.snapshot.count(scan.table, scan.index, scan.interval, where=scan.where)
        return count + sum(read.growth(write) for write in self.pending(scan.table))

    async def aggregate(self, scan: Scan, summary: Summary) -> Tally:
        """Tally the documents of an interval.

        Raises:
            TooManyGroups: There are more groups than one answer may have.
        """
        read = self._record(scan, scan.interval)
        with self._reading(scan):
            tally = await self.snapshot.aggregate(scan.table, scan.index, scan.interval, summary, where=scan.where)
        if pending := self.pending(scan.table):
            tally = tally.copy()
            if not all(move(tally, read, write) for write in pending):
                tally = await tally_of(summary, await self.scan(scan), Turns())
            tally.check()
        return tally

    def write(
        self,
        table: str,
        id_: Any,
        before: Document | None,
        after: Document | None,
        *,
        size: int = 0,
        entries: int = 0,
        bodies: Bodies | None = None,
    ) -> None:
        """Note a write; ``before`` is what this transaction sees now. Several writes of one document become one.

        Args:
            size: The bytes of what is written.
            entries: Those of indexes that it changes.
            bodies: Both, if they have been encoded.

        Raises:
            MutationTooLarge: It is more than the budget allows.
        """
        self.revisions[table] += 1
        pending, id_key = self._pending[table], keys.encode_value(id_)
        earlier = pending.by_id.get(id_key)
        if earlier is None:
            self._written += 1
        else:
            before, bodies = earlier.before, joined(earlier.bodies, bodies)
        pending.put(id_key, Write(table, id_, before, after, bodies, id_key))
        if self.budget is not None:
            self.budget.spend(self._written, size, entries)

    @contextmanager
    def taken_back_on_error(self) -> Iterator[None]:
        """Take back the writes of the block if it raises; what it has read stays read."""
        before = {table: pending.copy() for table, pending in self._pending.items()}
        try:
            yield
        except BaseException:
            for table in self._pending:
                self.revisions[table] += 1
            self._pending = defaultdict(PendingWrites, before)
            self._written = sum(len(pending.by_id) for pending in before.values())
            raise

    @contextmanager
    def _reading(self, scan: Scan) -> Iterator[None]:
        """Note what was asked for if it is not to be had."""
        try:
            yield
        except (StoreError, asyncio.CancelledError):
            self._note_unread(scan)
            raise

    def _note_unread(self, scan: Scan) -> None:
        self._record(scan, scan.interval)  # a change there may mend it
        self.cost.unfinished = scan.table, scan.index.name

    def _know_scanned(self, table: str) -> None:
        """Know by their ids, too, the documents that scans have given."""
        if table in self._scanned:
            scanned = self._scanned.pop(table)
            self._known.update(((table, keys.encode_value(document["_id"])), document) for document in scanned)

    def _remember(self, table: str, found: Sequence[Document]) -> None:
        if self._remembered + len(found) <= MANY:
            self._remembered += len(found)
            self._scanned.setdefault(table, []).extend(found)

    def _record(self, scan: Scan, interval: Interval) -> RangeRead:
        read = _read_of(scan, interval)
        self.reads.ranges.add(read)
        return read


def _read_of(scan: Scan, interval: Interval) -> RangeRead:
    return RangeRead(scan.table, scan.index, interval, scan.where)


def scan_key(scan: Scan, document: Document) -> bytes:
    """Give the key under which a scan meets a document first."""
    key = _read_of(scan, scan.interval).key_of(document, scan.order)
    if key is None:
        raise ValueError("the document is not in the interval of the scan")
    return key


def _as_far_as(scan: Scan, last: Document) -> Interval:
    key = scan_key(scan, last)
    if scan.order is Order.ASC:
        return Interval(scan.interval.low, keys.after(key))
    return Interval(key, scan.interval.high)


def _overlay(scan: Scan, found: Sequence[Document], pending: PendingWrites, *, complete: bool) -> list[Document]:
    """Lay pending writes over what the snapshot gave; if that was cut off, nothing beyond its end may join."""
    kept = [document for document in found if keys.encode_value(document["_id"]) not in pending.by_id]
    read = _read_of(scan, scan.interval)
    joining = [document for document in pending.within(scan.index, scan.interval) if read.admits(document)]
    if len(kept) == len(found) and not joining:
        return kept
    if not complete and found:
        end = _as_far_as(scan, found[-1])
        joining = [document for document in joining if scan_key(scan, document) in end]
    return sorted(kept + joining, key=lambda document: scan_key(scan, document), reverse=scan.order is Order.DESC)
