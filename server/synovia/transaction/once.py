"""The database for one run of a function: nothing is read twice, and nothing is made ready for another run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.store.base import Snapshot, Ts
from synovia.store.filters import Filter
from synovia.transaction.keyed import AtHand, nothing_at_hand
from synovia.transaction.readset import RangeRead


class OnceSnapshot:
    """A snapshot of one run; documents that are asked for by id are remembered by the run's transaction.

    Args:
        most: So many documents of scans are remembered; what is found beyond that is read again if it is asked for again.
    """

    def __init__(self, snapshot: Snapshot, most: float = math.inf) -> None:
        self._snapshot = snapshot
        self._left = most
        self.at_hand: AtHand = getattr(snapshot, "at_hand", nothing_at_hand)
        self._scans: dict[tuple[RangeRead, Order, int | None], list[Document]] = {}
        self._counts: dict[tuple[RangeRead, int | None], int] = {}
        self._tallies: dict[tuple[RangeRead, Summary], Tally] = {}

    @property
    def ts(self) -> Ts:
        return self._snapshot.ts

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        return await self._snapshot.get(table, ids)

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
        if (known := self._scans.get(place)) is not None:
            return known
        found = await self._snapshot.scan(table, index, interval, order, where=where, limit=limit)
        if len(found) <= self._left:
            self._left -= len(found)
            self._scans[place] = found
        return found

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        place = RangeRead(table, index, interval, where), limit
        if place not in self._counts:
            self._counts[place] = await self._snapshot.count(table, index, interval, where=where, limit=limit)
        return self._counts[place]

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        place = RangeRead(table, index, interval, where), summary
        if place not in self._tallies:
            self._tallies[place] = await self._snapshot.aggregate(table, index, interval, summary, where=where)
        return self._tallies[place]
