"""Writes that are not in the database yet, laid over a snapshot: documents by id, and scans and counts rolled forward.

This is how a mutation sees what others have written before it, and are only waiting to be durable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from synovia import keys
from synovia.aggregates.tally import Summary, Tally, tally_of
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.store.base import Snapshot, Ts
from synovia.store.filters import Filter
from synovia.transaction.keyed import AtHand, KeyedCommit, Point, nothing_at_hand
from synovia.transaction.memory import KeptScan
from synovia.transaction.readset import RangeRead
from synovia.transaction.rolling import rolled_count, rolled_tally
from synovia.turns import Turns

_LARGE: Final = 100
"""The documents of larger commits are looked for in the commits themselves."""


class Overlay:
    """Commits in their order, only ever added to: whoever has seen the first so many goes on seeing just these."""

    def __init__(self) -> None:
        self._height = 0
        self._documents: defaultdict[Point, list[tuple[int, Document | None]]] = defaultdict(list)
        self._large: list[tuple[int, KeyedCommit]] = []
        self._by_table: defaultdict[str, list[tuple[int, KeyedCommit]]] = defaultdict(list)

    def __len__(self) -> int:
        return self._height

    def add(self, commit: KeyedCommit) -> None:
        """Lay a commit on top."""
        for table in commit.by_table:
            self._by_table[table].append((self._height, commit))
        if len(commit.points) > _LARGE:
            self._large.append((self._height, commit))
        else:
            for point, write in commit.points.items():
                self._documents[point].append((self._height, write.write.after))
        self._height += 1

    def find(self, point: Point, height: int) -> tuple[Document | None] | None:
        """Give a document as the first ``height`` commits leave it; None if they do not write it."""
        latest, found = -1, None
        for place, document in reversed(self._documents.get(point, ())):
            if place < height:
                latest, found = place, (document,)
                break
        for place, commit in self._large:
            if latest < place < height and (write := commit.points.get(point)) is not None:
                latest, found = place, (write.write.after,)
        return found

    def commits(self, table: str, height: int) -> list[KeyedCommit]:
        """Give those of the first ``height`` commits that write to a table, in their order."""
        return [commit for place, commit in self._by_table.get(table, ()) if place < height]


class OverlaidSnapshot:
    """A snapshot with everything that an overlay holds now laid over it."""

    __slots__ = ("_below", "_height", "_overlay", "_snapshot")

    def __init__(self, snapshot: Snapshot, overlay: Overlay) -> None:
        self._snapshot = snapshot
        self._overlay = overlay
        self._height = len(overlay)
        self._below: AtHand = getattr(snapshot, "at_hand", nothing_at_hand)

    @property
    def ts(self) -> Ts:
        return self._snapshot.ts

    def at_hand(self, point: Point) -> Sequence[Any] | None:
        """Give a document if it is in memory; see ``AtHand``."""
        found = self._overlay.find(point, self._height) if self._height else None
        return self._below(point) if found is None else found

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        if not self._height:
            return await self._snapshot.get(table, ids)
        laid = [self._overlay.find((table, keys.encode_value(id_)), self._height) for id_ in ids]
        missing = [id_ for id_, found in zip(ids, laid, strict=True) if found is None]
        below = iter(await self._snapshot.get(table, missing) if missing else ())
        return [next(below) if found is None else found[0] for found in laid]

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
        read = RangeRead(table, index, interval, where)
        commits = [each for each in self._overlay.commits(table, self._height) if read.is_touched(each)]
        if not commits:
            return await self._snapshot.scan(table, index, interval, order, where=where, limit=limit)
        # What the writes take away may be missed at the end: ask for as many more.
        gone = sum(write.write.before is not None for commit in commits for write in read.writes_of(commit))
        more, turns = None if limit is None else limit + gone, Turns()
        found = await self._snapshot.scan(table, index, interval, order, where=where, limit=more)
        kept = KeptScan.of(read, order, more, found)
        for commit in commits:
            rolled = await kept.rolled(commit, turns, limit)
            if rolled is None:
                raise AssertionError("writes take away at most one document each")
            kept = rolled
        return kept.documents()[:limit]

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        below = await self._snapshot.count(table, index, interval, where=where, limit=limit)
        read = RangeRead(table, index, interval, where)
        count = await rolled_count(below, read, self._overlay.commits(table, self._height), Turns())
        if limit is None:
            return count
        if below == limit and count < limit:  # there were so many at least, so nobody knows how many there are
            count = await self.count(table, index, interval, where=where)
        return min(count, limit)

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        below = await self._snapshot.aggregate(table, index, interval, summary, where=where)
        read = RangeRead(table, index, interval, where)
        tally = await rolled_tally(below, read, self._overlay.commits(table, self._height), Turns())
        return tally or await tally_of(summary, await self.scan(table, index, interval, where=where), Turns())
