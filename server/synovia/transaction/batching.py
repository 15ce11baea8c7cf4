"""Reads by id, and look-ups by whole keys of indexes: from the cache of documents if it has them, else from the database.

Under load many mutations run at once, most at the same timestamp, and each begins by reading a document or two. Whatever is
asked for by id in one turn of the event loop is asked together, as one question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from synovia import keys
from synovia.aggregates.tally import Summary, Tally
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema import Document
from synovia.store.base import Snapshot, Store, Ts
from synovia.store.filters import Filter, matches
from synovia.transaction.document_cache import DocumentCache
from synovia.transaction.index_lookups import MOST_FOUND, IndexKey, is_whole_key
from synovia.transaction.keyed import Point
from synovia.transaction.readset import RangeRead
from synovia.transaction.vector_cache import VectorCache


class BatchedReads:
    """Gives snapshots of a store whose ``get`` is shared with others at the same timestamp.

    Args:
        cache: Where documents are looked for first. Whoever reads at the head of the log fills it.
        vectors: Where the nearest vectors are looked for first.
    """

    def __init__(self, store: Store, cache: DocumentCache | None = None, vectors: VectorCache | None = None) -> None:
        self._store = store
        self.cache = cache or DocumentCache()
        self.vectors = vectors or VectorCache()
        self._waiting: dict[tuple[Ts, str], list[tuple[Sequence[Any], asyncio.Future[list[Document | None]]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def snapshot(self, ts: Ts) -> Snapshot:
        """Give the database as of ``ts``."""
        return _BatchedSnapshot(self, self._store, ts)

    async def get(self, snapshot: _BatchedSnapshot, table: str, ids: Sequence[Any]) -> list[Document | None]:
        """Read documents; those that are not at hand together with whoever asks for some in this turn of the loop."""
        kept = [self.cache.find((table, keys.encode_value(id_)), snapshot.ts) for id_ in ids]
        missing = [id_ for id_, each in zip(ids, kept, strict=True) if each is None]
        asked = iter(await self._ask_together(snapshot.stored, table, missing) if missing else ())
        return [next(asked) if each is None else each[0] for each in kept]

    async def look_up(
        self, snapshot: _BatchedSnapshot, read: RangeRead, order: Order, limit: int | None = None
    ) -> list[Document] | None:
        """Give the documents with a key of an index as ``Snapshot.scan`` does; None: it is not a whole key, or too many
        documents have it to keep which these are."""
        key = read.table, read.index, read.interval.low
        kept = self.cache.find_with(key, snapshot.ts)
        if kept is not None:
            return _picked(kept if order is Order.ASC else kept[::-1], read, limit)
        is_unique = read.index.unique  # then all that have it are asked for, whatever is wanted of these
        if (read.where is not None and not is_unique) or not is_whole_key(read.index, read.interval):
            return None
        most = MOST_FOUND + 1 if is_unique else limit
        found = await self._look_up(snapshot.stored, key, read.interval, order, most)
        if is_unique and len(found) == most:
            return None
        return _picked(found, read, limit)

    async def _look_up(
        self, snapshot: Snapshot, key: IndexKey, interval: Interval, order: Order, most: int | None
    ) -> list[Document]:
        lookup, complete = self.cache.begin_lookup(key, snapshot.ts), None
        try:
            found = await snapshot.scan(key[0], key[1], interval, order, limit=most)
            complete = found if most is None or len(found) < most else None
        finally:
            if lookup is not None:
                self.cache.end_lookup(lookup, snapshot.ts, complete)
        return found

    async def _ask_together(self, snapshot: Snapshot, table: str, ids: Sequence[Any]) -> list[Document | None]:
        place = snapshot.ts, table
        future: asyncio.Future[list[Document | None]] = asyncio.get_running_loop().create_future()
        if place not in self._waiting:
            self._waiting[place] = []
            asyncio.get_running_loop().call_soon(self._ask, snapshot, table)
        self._waiting[place].append((ids, future))
        return await future

    def _ask(self, snapshot: Snapshot, table: str) -> None:
        waiting = self._waiting.pop((snapshot.ts, table))
        task = asyncio.create_task(_answer(self.cache, snapshot, table, waiting), name=f"read {table}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _answer(
    cache: DocumentCache,
    snapshot: Snapshot,
    table: str,
    waiting: list[tuple[Sequence[Any], asyncio.Future[list[Document | None]]]],
) -> None:
    wanted = {keys.encode_value(id_): id_ for ids, _ in waiting for id_ in ids}
    try:
        found = await _read(cache, snapshot, table, wanted)
    except BaseException as error:
        for _, future in waiting:
            if not future.done():
                future.set_exception(error) if isinstance(error, Exception) else future.cancel()
        if not isinstance(error, Exception):
            raise
        return
    for ids, future in waiting:
        if not future.done():
            future.set_result([found[keys.encode_value(id_)] for id_ in ids])


async def _read(
    cache: DocumentCache, snapshot: Snapshot, table: str, wanted: dict[bytes, Any]
) -> dict[bytes, Document | None]:
    points: list[Point] = [(table, key) for key in wanted]
    reading, found = cache.begin(points, snapshot.ts), list[Document | None]()
    try:
        found = await snapshot.get(table, list(wanted.values()))
    finally:
        if reading is not None:
            cache.end(reading, snapshot.ts, found)
    return dict(zip(wanted, found, strict=True))


def _picked(documents: list[Document], read: RangeRead, limit: int | None) -> list[Document]:
    return [document for document in documents if read.admits(document)][:limit]


class _BatchedSnapshot:
    """The database as of a timestamp; the store's own snapshot is made when it is first asked, which most runs do not."""

    def __init__(self, reads: BatchedReads, store: Store, ts: Ts) -> None:
        self._reads = reads
        self._store = store
        self.ts = ts

    @cached_property
    def stored(self) -> Snapshot:
        """The store's own."""
        return self._store.snapshot(self.ts)

    def at_hand(self, point: Point) -> Sequence[Any] | None:
        """Give a document if it is in memory; see ``AtHand``."""
        return self._reads.cache.find(point, self.ts)

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        return await self._reads.get(self, table, ids)

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
        if interval.high == keys.after(interval.low):
            found = await self._reads.look_up(self, RangeRead(table, index, interval, where), order, limit)
            if found is not None:
                return found
        return await self.stored.scan(table, index, interval, order, where=where, limit=limit)

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        if interval.high == keys.after(interval.low):
            kept = self._reads.cache.find_with((table, index, interval.low), self.ts)
            if kept is not None:
                number = sum(where is None or matches(where, document) for document in kept)
                return number if limit is None else min(number, limit)
        return await self.stored.count(table, index, interval, where=where, limit=limit)

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        if summary.near is not None:
            kept = await self._reads.vectors.nearest(self.stored, table, index, interval, summary, where)
            if kept is not None:
                return kept
        return await self.stored.aggregate(table, index, interval, summary, where=where)
