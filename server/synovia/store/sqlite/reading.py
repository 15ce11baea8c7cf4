"""Reading documents as of a timestamp."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from synovia.keys import IndexSpec, Interval, Order, encode_value
from synovia.schema.specs import Document
from synovia.store.base import Ts
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.documents import load
from synovia.store.sqlite.position import Position

_BODY = "SELECT body FROM docs WHERE tbl = :tbl AND id = :id AND since <= :ts"
_PAST_BODY = """
    SELECT body, until FROM past_docs WHERE tbl = :tbl AND id = :id AND since <= :ts ORDER BY since DESC LIMIT 1"""

# The newest versions, in the order of `_id` or of an index.
_DOCUMENTS = "SELECT id, body FROM docs WHERE tbl = :tbl AND id >= :low AND id < :high ORDER BY id {order}"
_ENTRIES = """
    SELECT e.id, d.body, e.key FROM entries e CROSS JOIN docs d ON d.tbl = :tbl AND d.id = e.id
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

_STATEMENTS = {
    (by_index, newest, order): text.format(order=order.upper())
    for order in Order
    for by_index, newest, text in (
        (False, True, _DOCUMENTS),
        (False, False, _DOCUMENTS_AT),
        (True, True, _ENTRIES),
        (True, False, _ENTRIES_AT),
    )
}
_AT_ONCE: Final = 10_000
"""So many documents are counted by one statement."""
_COUNT_DOCUMENTS = """
    SELECT count(*), max(id) FROM (
        SELECT id FROM docs WHERE tbl = :tbl AND id >= :low AND id < :high ORDER BY id LIMIT :most)"""
_KEYS = "SELECT id, key FROM entries WHERE idx = :idx AND key >= :low AND key < :high ORDER BY key LIMIT :most"


class Row(NamedTuple):
    """A document as a scan meets it; ``key`` is that of the index, the ``_id`` in the order of the table itself."""

    id: bytes
    body: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """An index of a table as of an instant, read in one direction."""

    ts: Ts
    table: str
    index: IndexSpec
    order: Order

    def rest(self, interval: Interval, key: bytes) -> Interval:
        """Give what is left of an interval behind a key."""
        return Interval(key + b"\0", interval.high) if self.order is Order.ASC else Interval(interval.low, key)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads of one database; every method runs in the database's thread, also amid a commit, of which it sees nothing."""

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

    def rows(self, place: Place, interval: Interval) -> Generator[Row, None, None]:
        """Give the documents with a key in an interval in the order of the keys, one again for each of its keys."""
        parameters = self._parameters(place, interval)
        return self._rows(_STATEMENTS[parameters["idx"] is not None, self.is_newest(place), place.order], parameters)

    def count_some(self, place: Place, interval: Interval) -> tuple[int, bytes | None]:
        """Count the first documents of an interval of a table's own order; give the last key if there may be more."""
        parameters = self._parameters(place, interval) | {"most": _AT_ONCE}
        number, last = self.database.execute(_COUNT_DOCUMENTS, parameters).fetchone()
        return number, None if number < _AT_ONCE else last

    def ids_of_some(self, place: Place, interval: Interval) -> tuple[list[bytes], bytes | None]:
        """Give the ids at the first keys of an interval of an index, likewise."""
        rows = self.database.execute(_KEYS, self._parameters(place, interval) | {"most": _AT_ONCE}).fetchall()
        return [id_ for id_, _ in rows], None if len(rows) < _AT_ONCE else rows[-1][1]

    def is_newest(self, place: Place) -> bool:
        """Tell whether nothing has been written since the instant; then past versions need not be looked at."""
        return place.ts == self.position.ts and not self.position.is_moving

    def _parameters(self, place: Place, interval: Interval) -> dict[str, Any]:
        self.position.check(place.ts)
        number, idx = self.catalog.index(place.table, place.index)
        return {"tbl": number, "idx": idx, "low": interval.low, "high": interval.high, "ts": place.ts}

    def _rows(self, statement: str, parameters: dict[str, Any]) -> Generator[Row, None, None]:
        with closing(self.database.execute(statement, parameters)) as rows:
            for id_, body, *key in rows:
                yield Row(id_, body, key[0] if key else id_)
