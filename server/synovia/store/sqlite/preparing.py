"""Large commits made ready beforehand: their documents and index keys are laid into temporary tables, a few at a time.

What is left to do in the transaction is a statement for each of these tables, without any Python: it is over in a tenth of
the time, and does not wait for Python's lock while the event loop computes. Everybody who writes waits for that alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from synovia.keys import IndexSpec, after, encode_value
from synovia.store.base import Ts, UniqueViolation, Write
from synovia.store.references import references_of
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import transaction
from synovia.store.sqlite.documents import dump, dump_as, keys_of, load

_TABLES: Final = (
    "PRAGMA temp_store = MEMORY",
    """CREATE TEMP TABLE ready (
        batch INTEGER, part INTEGER, tbl INTEGER, id BLOB, seq INTEGER, before BLOB, after BLOB,
        PRIMARY KEY (batch, part, tbl, id)) WITHOUT ROWID""",
    """CREATE TEMP TABLE ready_entries (
        batch INTEGER, part INTEGER, begins INTEGER, idx INTEGER, key BLOB, id BLOB, low BLOB, high BLOB,
        PRIMARY KEY (batch, part, begins, idx, key)) WITHOUT ROWID""",
)
_PART: Final = 512
"""So many documents are taken in before others may read."""
_AT_ONCE: Final = 8
_ROWS_AT_ONCE: Final = 64
"""So many rows are inserted by one statement: Python's lock is let go and waited for once for all of them."""
_STEP_SECONDS: Final = 0.002

_OTHER_THAN_EXPECTED = """
    SELECT 1 FROM ready r LEFT JOIN docs d ON d.tbl = r.tbl AND d.id = r.id
    WHERE r.batch = :batch AND d.body IS NOT r.before LIMIT 1"""
_ROWS = """
    SELECT d.row FROM ready r CROSS JOIN docs d ON d.tbl = r.tbl AND d.id = r.id
    WHERE r.batch = :batch AND r.part = :part AND r.before IS NOT NULL"""
_TAKE_IN: Final = (
    """INSERT INTO past_docs (tbl, id, since, until, body)
       SELECT d.tbl, d.id, d.since, :ts, d.body FROM ready r CROSS JOIN docs d ON d.tbl = r.tbl AND d.id = r.id
       WHERE r.batch = :batch AND r.part = :part AND r.before IS NOT NULL""",
    f"""UPDATE docs SET since = :ts, body = (
           SELECT after FROM ready r
           WHERE r.batch = :batch AND r.part = :part AND r.tbl = docs.tbl AND r.id = docs.id)
       WHERE row IN ({_ROWS} AND r.after IS NOT NULL)""",
    f"DELETE FROM docs WHERE row IN ({_ROWS} AND r.after IS NULL)",
    """INSERT INTO docs (tbl, id, since, body)
       SELECT tbl, id, :ts, after FROM ready WHERE batch = :batch AND part = :part AND before IS NULL""",
    "INSERT INTO log SELECT :ts, seq, tbl, id FROM ready WHERE batch = :batch AND part = :part",
    """INSERT INTO past_entries (until, idx, key, id, since)
       SELECT :ts, e.idx, e.key, e.id, e.since FROM ready_entries r CROSS JOIN entries e ON e.idx = r.idx AND e.key = r.key
       WHERE r.batch = :batch AND r.part = :part AND r.begins = 0""",
    """DELETE FROM entries WHERE (idx, key) IN
       (SELECT idx, key FROM ready_entries WHERE batch = :batch AND part = :part AND begins = 0)""",
    """INSERT INTO entries (idx, key, id, since)
       SELECT idx, key, id, :ts FROM ready_entries WHERE batch = :batch AND part = :part AND begins = 1""",
)
_TAKEN = """
    SELECT r.idx FROM ready_entries r WHERE r.batch = :batch AND r.begins = 1 AND r.low IS NOT NULL AND EXISTS (
        SELECT 1 FROM entries e WHERE e.idx = r.idx AND e.key >= r.low AND e.key < r.high AND e.id <> r.id)
    LIMIT 1"""


@dataclass(slots=True, eq=False)
class Prepared:
    """The writes of a batch as far as they are ready.

    Attributes:
        revision: That of the catalog by which their keys were made.
        done: The writes with the documents as they will be stored.
        size: The bytes of these.
        references: The arrays to which they add references.
    """

    number: int
    revision: int
    forget: Callable[[int], None]
    done: list[Write] = field(default_factory=list)
    size: int = 0
    references: set[bytes] = field(default_factory=set)
    unique: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return (len(self.done) - 1) // _PART + 1

    def discard(self) -> None:
        """Forget it: it has been committed, or will never be."""
        self.forget(self.number)


class Preparing:
    """Makes the writes of one batch ready, a step at a time."""

    def __init__(self, prepared: Prepared, writes: Sequence[Write]) -> None:
        self.prepared = prepared
        self._writes = [write for write in writes if write.before is not None or write.after is not None]
        self._rows: list[tuple[object, ...]] = []
        self._entries: list[tuple[object, ...]] = []

    def step(self, database: sqlite3.Connection, catalog: Catalog) -> bool:
        """Go on for a moment; tell whether all is ready.

        Raises:
            StoreError: A document cannot be stored.
        """
        deadline, first = time.perf_counter() + _STEP_SECONDS, len(self.prepared.done)
        for place in range(first, len(self._writes)):
            self._prepare(self._writes[place], catalog)
            if place % _AT_ONCE == 0 and time.perf_counter() > deadline:
                break
        with transaction(database):
            _insert(database, "ready", self._rows)
            _insert(database, "ready_entries", self._entries)
        self._rows, self._entries = [], []
        return len(self.prepared.done) == len(self._writes)

    def _prepare(self, write: Write, catalog: Catalog) -> None:
        prepared, seq = self.prepared, len(self.prepared.done)
        entry, id_ = catalog.table(write.table), encode_value(write.id)
        old = None if write.before is None else dump(write.before)
        new = None if write.after is None else dump_as(id_, write.after)
        before, after_ = (None if body is None else load(body) for body in (old, new))
        place = prepared.number, seq // _PART
        self._rows.append((*place, entry.number, id_, seq, old, new))
        for index, number in entry.indexes.items():
            ended, begun = keys_of(index, before), keys_of(index, after_)
            self._entries += [(*place, 0, number, key, id_, None, None) for key in ended - begun]
            self._entries += [(*place, 1, number, key, id_, *_claim(index, key, id_)) for key in begun - ended]
            if index.unique:
                prepared.unique[number] = write.table, index.name
        prepared.references |= references_of(after_) - references_of(before)
        prepared.size += len(old or b"") + len(new or b"")
        prepared.done.append(Write(write.table, write.id, before, after_))


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[begin : begin + _ROWS_AT_ONCE]
        row = f"({', '.join('?' * len(some[0]))})"
        database.execute(f"INSERT INTO {table} VALUES {', '.join([row] * len(some))}", list(chain.from_iterable(some)))


def _claim(index: IndexSpec, key: bytes, id_: bytes) -> tuple[bytes, bytes] | tuple[None, None]:
    """Give the interval of a unique index that no other document may have a key in."""
    return (key[: -len(id_)], after(key[: -len(id_)])) if index.unique else (None, None)


def lay_out(database: sqlite3.Connection) -> None:
    """Make the temporary tables of a connection."""
    for statement in _TABLES:
        database.execute(statement)


def is_expected(database: sqlite3.Connection, prepared: Prepared) -> bool:
    """Tell whether all documents are stored just as the writes say that they are before them, byte for byte."""
    return database.execute(_OTHER_THAN_EXPECTED, {"batch": prepared.number}).fetchone() is None


def take_in(database: sqlite3.Connection, prepared: Prepared, ts: Ts, pause: Callable[[], None]) -> None:
    """Write what is ready, as a part of a transaction.

    Raises:
        UniqueViolation: A unique index forbids it.
    """
    for part in range(prepared.parts):
        for statement in _TAKE_IN:
            database.execute(statement, {"batch": prepared.number, "part": part, "ts": ts})
        pause()
    if prepared.unique and (found := database.execute(_TAKEN, {"batch": prepared.number}).fetchone()):
        raise UniqueViolation(*prepared.unique[found[0]])


def forget(database: sqlite3.Connection, number: int) -> None:
    """Delete what was made ready."""
    with transaction(database):
        for table in ("ready", "ready_entries"):
            database.execute(f"DELETE FROM {table} WHERE batch = ?", (number,))
