"""Reading the database as of one timestamp (``atClusterTime``), without a session or a transaction.

**Order.** MongoDB sorts by an index for free as long as no document has an array in the fields that are sorted by. With
one it sorts by the document's least (or greatest) element, which need not lie in the interval, whereas the contract
orders by the key in the interval. Nobody tells beforehand whether a field holds arrays, and another program may store
one at any time; but a document's place by its least element is never behind its place by the key in the interval. So
when none of the first ``limit`` documents has an array there, no document with an array belongs among them, and they are
right; when one has, the scan is repeated by ``_by_keys``, and the field is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from bson import DBRef, MinKey
from bson.errors import BSONError

from synovia import keys
from synovia.aggregates.tally import Summary, Tally, tally_of
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document, Undecodable
from synovia.store.base import IndexMissing, Ts
from synovia.store.filters import Filter
from synovia.store.mongo import lacking
from synovia.store.mongo.bounds import Span, fields_of, span
from synovia.store.mongo.catalog import Catalog
from synovia.store.mongo.conditions import to_query
from synovia.store.mongo.cursor import FIRST_BATCH, all_documents, documents_one_by_one
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.errors import BadHint
from synovia.store.mongo.times import timestamp
from synovia.turns import Turns

_COUNTABLE: Final = frozenset({keys.Tag.NUMBER, keys.Tag.STRING, keys.Tag.OBJECT_ID, keys.Tag.BOOL, keys.Tag.DATE})
"""The types for which a query for equality finds exactly the documents with that index key."""


class _Reader:
    """Commands that read as of one timestamp."""

    def __init__(self, driver: Driver, ts: Ts) -> None:
        self._driver = driver
        self._concern = {"level": "snapshot", "atClusterTime": timestamp(ts)}

    async def find(self, table: str, query: Mapping[str, Any], **options: Any) -> list[Document]:
        return await self._rows({"find": table, "filter": query, **options, "batchSize": FIRST_BATCH})

    async def aggregate(self, table: str, pipeline: Sequence[Mapping[str, Any]], hint: Any) -> list[Document]:
        return await self._rows({"aggregate": table, "pipeline": pipeline, "hint": hint, "cursor": {}})

    async def _rows(self, command: Mapping[str, Any]) -> list[Document]:
        full = {**command, "readConcern": self._concern}

        async def read() -> list[Document]:
            try:
                return await all_documents(self._driver, full)
            except BSONError:
                if "find" not in full:
                    raise
                return await documents_one_by_one(self._driver, full)

        return await self._driver.reading(read)


class MongoSnapshot:
    """The database as of ``ts``."""

    def __init__(self, driver: Driver, catalog: Catalog, ts: Ts) -> None:
        self._reader = _Reader(driver, ts)
        self._catalog = catalog
        self._ts = ts

    @property
    def ts(self) -> Ts:
        return self._ts

    async def get(self, table: str, ids: Sequence[Any]) -> list[Document | None]:
        if not ids:
            return []
        if len(ids) == 1:
            one = await self._reader.find(table, {"_id": {"$eq": ids[0]}})
            return [one[0] if one else None]
        rows = await self._reader.find(table, {"_id": {"$in": list(ids)}})
        found = {keys.encode_value(row["_id"]): row for row in rows}
        return [found.get(keys.encode_value(each)) for each in ids]

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
        if interval.low >= interval.high or limit == 0:
            return []
        if not index.defaults:
            return await self._scan(table, index, lacking.Part(interval, where), order).run(limit)

        async def read(part: lacking.Part, most: int | None) -> list[Document]:
            scan = self._scan(table, index.plain, part, order)
            return await scan.run(most) if not part.strewn or await scan.has_any_without(part.strewn) else []

        return await lacking.scan(index, interval, order, where, limit, read)

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        if interval.low >= interval.high:
            return 0
        if lacking.is_deep(index):
            return len(await self.scan(table, index, interval, where=where, limit=limit))
        counts = (scan.count(limit) for scan in self._parts(table, index, interval, where))
        number = sum(await asyncio.gather(*counts))
        return number if limit is None else min(number, limit)

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        return await tally_of(summary, await self._fields_of(table, index, interval, summary, where), Turns())

    async def _fields_of(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, where: Filter | None
    ) -> list[Document]:
        """Read what a summary is made from of the documents in an interval, in any order."""
        if interval.low >= interval.high:
            return []
        if lacking.is_deep(index):
            return await self.scan(table, index, interval, where=where)
        tops = {field.split(".")[0] for field in summary.fields.fields}
        scans = (scan.parts_of_rows(tops) for scan in self._parts(table, index, interval, where))
        return [row for rows in await asyncio.gather(*scans) for row in rows]

    def _parts(self, table: str, index: IndexSpec, interval: Interval, where: Filter | None) -> list[_Scan]:
        """Take a scan apart where documents may lack a field that has a default; the parts have no document in common."""
        parts = lacking.parts_of(index, interval, where) if index.defaults else [lacking.Part(interval, where)]
        return [self._scan(table, index.plain, part, Order.ASC) for part in parts]

    def _scan(self, table: str, index: IndexSpec, part: lacking.Part, order: Order) -> _Scan:
        return _Scan(self._reader, self._catalog, table, index, part.interval, order, to_query(part.where))


class _Scan:
    """One scan of one interval."""

    def __init__(
        self,
        reader: _Reader,
        catalog: Catalog,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order,
        query: dict[str, Any],
    ) -> None:
        self._reader = reader
        self._catalog = catalog
        self._table = table
        self._index = index
        self._interval = interval
        self._order = order
        self._query = query
        self._span: Span = span(index, interval)

    async def run(self, limit: int | None) -> list[Document]:
        if not self._span.edges:
            return await self._inside(limit)
        inside = await self._inside(None if limit is None else limit + 1)
        edges = await self._edges()
        apart = {keys.encode_value(each) for each in self._span.edges}
        rows = [row for row in inside if keys.encode_value(row["_id"]) not in apart] + edges
        return self._ordered(rows)[:limit]

    async def has_any_without(self, fields: Iterable[str]) -> bool:
        """Tell whether documents with the pinned values may lack fields.

        By conditions MongoDB skips from one value of the fields before to the next; by ``min`` and ``max`` it does not.
        """
        if not self._is_plain_equality():
            return True
        # All documents are so, but without it MongoDB does not skip in the index.
        by_index = {fields_of(self._index)[0]: {"$gte": MinKey()}}
        query = {"$and": [by_index, *self._equalities(), *({name: {"$eq": None}} for name in fields)]}
        hint = self._catalog.hint(self._table, self._index)
        with self._needing_index():
            return bool(await self._reader.find(self._table, query, hint=hint, projection={"_id": 1}, limit=1))

    async def count(self, limit: int | None = None) -> int:
        """Count the documents; with a limit, of more so many at least."""
        if self._span.exact and self._is_plain_equality():
            return await self._count_by_query(limit)
        most = None if limit is None else limit + len(self._span.edges)
        return len(await self.parts_of_rows((), most))

    async def parts_of_rows(self, fields: Iterable[str], most: int | None = None) -> list[Document]:
        """Read some fields of the documents, each once, in any order; more of them may be there.

        Args:
            most: So many at most of those that do not lie at an edge.
        """
        rows = await self._range({"projection": {"_id": 1, **dict.fromkeys(fields, 1)}}, most)
        if not self._span.edges:
            return rows
        apart = {keys.encode_value(each) for each in self._span.edges}
        return [row for row in rows if keys.encode_value(row["_id"]) not in apart] + await self._edges()

    # --- the documents strictly between the ends --------------------------------------------------------------------

    async def _inside(self, limit: int | None) -> list[Document]:
        if self._span.empty:
            return []
        sort = fields_of(self._index)[self._span.pinned :]
        if not self._catalog.has_arrays(self._table, sort):
            direction = 1 if self._order is Order.ASC else -1
            rows = await self._range({"sort": dict.fromkeys(sort, direction)}, limit)
            if not (arrays := await _arrays_among(rows, sort)):
                return rows
            self._catalog.remember_arrays(self._table, arrays)
        return await self._by_keys(limit)

    async def _by_keys(self, limit: int | None) -> list[Document]:
        """Scan an index with arrays in the fields to sort by.

        Forward, a plain scan of the index is in order already and meets each document first at its least key in the
        interval. Backward, MongoDB offers no such scan: the order is made here, from the indexed fields alone if few are
        wanted.
        """
        if self._order is Order.ASC:
            return await self._range({}, limit)
        if limit is None:
            return self._ordered(await self._range({}))
        projection = dict.fromkeys(_tops(fields_of(self._index)), 1)
        first = self._ordered(await self._range({"projection": projection}))[:limit]
        return self._ordered(await self._reader.find(self._table, {"_id": {"$in": [row["_id"] for row in first]}}))

    async def _range(self, options: dict[str, Any], limit: int | None = None) -> list[Document]:
        if self._span.empty:
            return []
        hint = self._catalog.hint(self._table, self._index)
        options = {**options, "hint": hint, "min": self._span.low, "max": self._span.high}
        most = limit
        while True:
            with self._needing_index():
                cut = {} if most is None else {"limit": most}
                found = await self._reader.find(self._table, self._query, **options, **cut)
            rows = self._placed(found)
            if limit is None or most is None or len(rows) >= limit or len(found) < most:
                return rows[:limit]
            most += limit

    def _placed(self, found: list[Document]) -> list[Document]:
        """Leave out what has no place in the order, because nobody can decode it; ids can always be read."""
        if not self._index.fields:
            return found
        return [row for row in found if not isinstance(row, Undecodable)]

    @contextmanager
    def _needing_index(self) -> Iterator[None]:
        try:
            yield
        except BadHint as error:
            raise IndexMissing(self._table, self._index.name) from error

    # --- the documents at the ends ----------------------------------------------------------------------------------

    async def _edges(self) -> list[Document]:
        query = {"$and": [{"_id": {"$in": list(self._span.edges)}}, self._query]}
        return self._ordered(self._placed(await self._reader.find(self._table, query)))

    def _ordered(self, rows: Sequence[Document]) -> list[Document]:
        """Order documents by their first key in the interval, as the scan meets them; leave out those without one."""
        placed = [(inside, row) for row in rows if (inside := self._keys_inside(row))]
        if self._order is Order.ASC:
            placed.sort(key=lambda pair: pair[0][0])
        else:
            placed.sort(key=lambda pair: pair[0][-1], reverse=True)
        return [row for _, row in placed]

    def _keys_inside(self, row: Document) -> list[bytes]:
        return [key for key in keys.index_keys(self._index, row) if key in self._interval]

    # --- counting ---------------------------------------------------------------------------------------------------

    def _is_plain_equality(self) -> bool:
        fields = fields_of(self._index)[: self._span.pinned]
        tops = [field.split(".")[0] for field in fields]
        one_array_each = len(set(tops)) == len(tops)
        return one_array_each and all(keys.tag_of(value) in _COUNTABLE for value in self._span.values)

    async def _count_by_query(self, limit: int | None) -> int:
        if limit == 0:
            return 0
        match = {"$match": {"$and": [*self._equalities(), self._query]}}
        pipeline: list[dict[str, Any]] = [match, *([] if limit is None else [{"$limit": limit}]), {"$count": "n"}]
        with self._needing_index():
            rows = await self._reader.aggregate(self._table, pipeline, self._catalog.hint(self._table, self._index))
        return int(rows[0]["n"]) if rows else 0

    def _equalities(self) -> list[dict[str, Any]]:
        return [{name: {"$eq": value}} for name, value in zip(fields_of(self._index), self._span.values, strict=False)]


def _tops(fields: Sequence[str]) -> list[str]:
    return [field.split(".")[0] for field in fields]


async def _arrays_among(rows: Sequence[Document], fields: Sequence[str]) -> set[str]:
    found, turns = set[str](), Turns()
    for row in rows:
        found.update(field for field in fields if field not in found and _reaches_array(row, field))
        await turns.step()
    return found


def _reaches_array(row: Mapping[str, Any], field: str) -> bool:
    if "." not in field:
        return isinstance(row.get(field), list)
    value: Any = row
    for name in field.split("."):
        value = value.as_doc() if isinstance(value, DBRef) else value
        if not isinstance(value, Mapping):
            break
        value = value.get(name)
    return isinstance(value, list)
