"""Reading documents as of a timestamp."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from synovia.keys import IndexSpec, Interval, Order, encode_value
from synovia.schema.specs import Document
from synovia.store.base import Ts
from synovia.store.filters import Filter, compiled
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.documents import load
from synovia.store.sqlite.position import Position

_BODY = "SELECT body FROM docs WHERE tbl = :tbl AND id = :id AND since <= :ts"
_PAST_BODY = """
    SELECT body, until FROM past_docs WHERE tbl = :tbl AND id = :id AND since <= :ts ORDER BY since DESC LIMIT 1"""

# The newest versions, in the order of `_id` or of an index.
_DOCUMENTS = "SELECT id, body FROM docs WHERE tbl = :tbl AND id >= :low AND id < :high ORDER BY id {order}"
_ENTRIES = """
    SELECT e.id, d.body FROM entries e CROSS JOIN docs d ON d.tbl = :tbl AND d.id = e.id
    WHERE e.idx = :idx AND e.key >= :low AND e.key < :high ORDER BY e.key {order}"""

# The same as of a timestamp: what has stayed since then, merged with what has ended since then.
_DOCUMENTS_AT = """
    SELECT id, body FROM docs WHERE tbl = :tbl AND id >= :low AND id < :high AND since <= :ts
    UNION ALL
    SELECT id, body FROM past_docs INDEXED BY past_docs_by_until
        WHERE until > :ts AND tbl = :tbl AND id >= :low AND id < :high AND since <= :ts
    ORDER BY id {order}"""
_BODY_AT = """
    COALESCE((SELECT body FROM docs d WHERE d.tbl = :tbl AND d.id = e.id AND d.since <= :ts),
             (SELECT body FROM past_docs p WHERE p.tbl = :tbl AND p.id = e.id AND p.since <= :ts
              ORDER BY p.since DESC LIMIT 1))"""
_ENTRIES_AT = f"""
    SELECT e.id, {_BODY_AT}, e.key AS key FROM entries e
        WHERE e.idx = :idx AND e.key >= :low AND e.key < :high AND e.since <= :ts
    UNION ALL
    SELECT e.id, {_BODY_AT}, e.key AS key FROM past_entries e
        WHERE e.until > :ts AND e.idx = :idx AND e.key >= :low AND e.key < :high AND e.since <= :ts
    ORDER BY key {{order}}"""

_SCANS = {
    (by_index, newest, order): text.format(order=order.upper())
    for order in Order
    for by_index, newest, text in (
        (False, True, _DOCUMENTS),
        (False, False, _DOCUMENTS_AT),
        (True, True, _ENTRIES),
        (True, False, _ENTRIES_AT),
    )
}

_COUNT_DOCUMENTS = "SELECT count(*) FROM docs WHERE tbl = :tbl AND id >= :low AND id < :high"
_COUNT_ENTRIES = "SELECT count(DISTINCT id) FROM entries WHERE idx = :idx AND key >= :low AND key < :high"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads of one database; every method runs in the database's thread."""

    database: sqlite3.Connection
    catalog: Catalog
    position: Position

    def get(self, ts: Ts, table: str, ids: Iterable[Any]) -> list[Document | None]:
        self.position.check(ts)
        number = self.catalog.table(table).number
        return [self._get(number, encode_value(id_), ts) for id_ in ids]

    def _get(self, table: int, id_: bytes, ts: Ts) -> Document | None:
        where = {"tbl": table, "id": id_, "ts": ts}
        if (row := self.database.execute(_BODY, where).fetchone()) is not None:
            return load(row[0])
        row = self.database.execute(_PAST_BODY, where).fetchone()
        return load(row[0]) if row is not None and row[1] > ts else None

    def scan(
        self,
        ts: Ts,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order,
        where: Filter | None,
        limit: int | None,
    ) -> list[Document]:
        found: list[Document] = []
        if limit is not None and limit <= 0:
            return found
        for document in self._scan(ts, table, index, interval, order, where):
            found.append(document)
            if len(found) == limit:
                break
        return found

    def _scan(
        self, ts: Ts, table: str, index: IndexSpec, interval: Interval, order: Order, where: Filter | None
    ) -> Iterator[Document]:
        test = None if where is None else compiled(where)
        for body in self._bodies(ts, table, index, interval, order):
            document = load(body)
            if test is None or test(document):
                yield document

    def _bodies(self, ts: Ts, table: str, index: IndexSpec, interval: Interval, order: Order) -> Iterator[bytes]:
        self.position.check(ts)
        number, idx = self.catalog.index(table, index)
        parameters = {"tbl": number, "idx": idx, "low": interval.low, "high": interval.high, "ts": ts}
        rows = self.database.execute(_SCANS[idx is not None, ts == self.position.ts, order], parameters)
        seen: set[bytes] = set()
        for id_, body, *_ in rows:
            if id_ not in seen:
                seen.add(id_)
                yield body

    def count(self, ts: Ts, table: str, index: IndexSpec, interval: Interval, where: Filter | None) -> int:
        if where is not None:
            return sum(1 for _ in self._scan(ts, table, index, interval, Order.ASC, where))
        if ts != self.position.ts:
            return sum(1 for _ in self._bodies(ts, table, index, interval, Order.ASC))
        number, idx = self.catalog.index(table, index)
        parameters = {"tbl": number, "idx": idx, "low": interval.low, "high": interval.high}
        statement = _COUNT_DOCUMENTS if idx is None else _COUNT_ENTRIES
        count: int = self.database.execute(statement, parameters).fetchone()[0]
        return count
