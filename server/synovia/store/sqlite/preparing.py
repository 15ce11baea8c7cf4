"""Commits made ready: their documents and index keys are laid into temporary tables, those of large ones ahead of them.

What is left to do in the transaction is a statement for each of these tables, without any Python: it is over in a tenth of
the time, and does not wait for Python's lock while the event loop computes. Everybody who writes waits for that alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from synovia.keys import IndexSpec, ParallelArrays, after, each_key, encode_value, most_keys
from synovia.schema.specs import Document
from synovia.store.base import StoreError, Ts, UniqueViolation, Write
from synovia.store.references import added_references
from synovia.store.sqlite.catalog import Catalog
from synovia.store.sqlite.connection import transaction
from synovia.store.sqlite.documents import body_of, dump, keys_of, load
from synovia.store.sqlite.worker import nobody_waits

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
_ENTRIES: Final = 2_048
"""So many documents, or entries of indexes, are taken in before others may read."""
_AT_ONCE: Final = 8
_KEYS_AT_ONCE: Final = 128
"""After so many documents, or keys of one, the clock is looked at."""
_ROWS_AT_ONCE: Final = 64
"""So many rows are inserted by one statement: Python's lock is let go and waited for once for all of them."""
_ROWS_A_STEP: Final = 256
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
_TAKE_IN_DOCUMENTS: Final = _TAKE_IN[:5]
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
        parts: How many parts there are.
        size: The bytes of these.
        has_entries: Whether its tables have indexes.
        references: The arrays to which they add references.
    """

    number: int
    revision: int
    forget: Callable[[int, int], None]
    done: list[Write] = field(default_factory=list)
    parts: int = 0
    size: int = 0
    has_entries: bool = False
    references: set[bytes] = field(default_factory=set)
    unique: dict[int, tuple[str, str]] = field(default_factory=dict)

    def discard(self) -> None:
        """Forget it: it has been committed, or will never be."""
        for part in range(self.parts + 1):
            self.forget(self.number, part)


class Preparing:
    """Makes the writes of one batch ready, a step at a time.

    Args:
        is_wanted: Tells whether others wait for the thread, for whom a step ends.
    """

    def __init__(
        self, prepared: Prepared, writes: Sequence[Write], is_wanted: Callable[[], bool] = nobody_waits
    ) -> None:
        self.prepared = prepared
        self._is_wanted = is_wanted
        self._writes = [write for write in writes if write.before is not None or write.after is not None]
        self._rows: list[tuple[object, ...]] = []
        self._entries: list[tuple[object, ...]] = []
        self._documents_of_part = self._entries_of_part = 0
        self._going_on: Iterator[None] | None = None

    def step(self, database: sqlite3.Connection, catalog: Catalog) -> bool:
        """Go on for a moment; tell whether all is ready.

        Raises:
            StoreError: A document cannot be stored.
        """
        deadline = time.perf_counter() + _STEP_SECONDS
        self._going_on = self._going_on or self._prepare_all(catalog)
        is_ready = True
        for _ in self._going_on:
            rows = len(self._rows) + len(self._entries)
            if rows >= _ROWS_A_STEP or self._is_wanted() or time.perf_counter() > deadline:
                is_ready = False
                break
        with transaction(database):
            insert(database, "ready", self._rows)
            insert(database, "ready_entries", self._entries)
        self._rows, self._entries = [], []
        return is_ready

    def finish(self, database: sqlite3.Connection, catalog: Catalog) -> None:
        """Make all of it ready without a stop, as a part of a transaction.

        Raises:
            StoreError: A document cannot be stored.
        """
        for _ in self._prepare_all(catalog):
            pass
        insert(database, "ready", self._rows)
        insert(database, "ready_entries", self._entries)

    def _prepare_all(self, catalog: Catalog) -> Iterator[None]:
        """Make everything ready, with a stop now and then."""
        for number, write in enumerate(self._writes):
            yield from self._prepare(write, catalog)
            if number % _AT_ONCE == 0:
                yield
        self.prepared.parts += self._documents_of_part + self._entries_of_part > 0

    def _prepare(self, write: Write, catalog: Catalog) -> Iterator[None]:
        prepared, seq = self.prepared, len(self.prepared.done)
        entry, id_ = catalog.table(write.table), encode_value(write.id)
        new = None if write.after is None else body_of(id_, write.after, write.bodies)
        if write.bodies is None:
            old = None if write.before is None else dump(write.before)
            before, after_ = (None if body is None else load(body) for body in (old, new))
        else:
            old, before, after_ = write.bodies[0] or None, write.before, write.after
        self._rows.append((prepared.number, prepared.parts, entry.number, id_, seq, old, new))
        self._count(documents=1)
        for index, number in entry.indexes.items():
            prepared.has_entries = True
            ended, begun = set[bytes](), set[bytes]()
            yield from _gather(ended, index, before)
            yield from _gather(begun, index, after_)
            for begins, some in enumerate((ended - begun, begun - ended)):
                in_order = sorted(some)
                for first in range(0, len(in_order), _KEYS_AT_ONCE):
                    keys = in_order[first : first + _KEYS_AT_ONCE]
                    claims = (_claim(index, key, id_) if begins else _NO_CLAIM for key in keys)
                    place = prepared.number, prepared.parts, begins, number
                    self._entries += [(*place, key, id_, *claim) for key, claim in zip(keys, claims, strict=True)]
                    self._count(entries=len(keys))
                    if len(keys) == _KEYS_AT_ONCE:
                        yield
            if index.unique:
                prepared.unique[number] = write.table, index.name
        prepared.references |= added_references((write,))
        prepared.size += len(old or b"") + len(new or b"")
        prepared.done.append(Write(write.table, write.id, before, after_, None, id_))

    def _count(self, documents: int = 0, entries: int = 0) -> None:
        """Count what a part has; after enough, what comes next is in another one."""
        self._documents_of_part += documents
        self._entries_of_part += entries
        if self._documents_of_part >= _PART or self._entries_of_part >= _ENTRIES:
            self.prepared.parts += 1
            self._documents_of_part = self._entries_of_part = 0


def _gather(found: set[bytes], index: IndexSpec, document: Document | None) -> Iterator[None]:
    """Find the keys of a document, with a stop now and then.

    Raises:
        StoreError: The index cannot hold it.
    """
    if document is None or most_keys(index, document) <= _KEYS_AT_ONCE:
        found |= keys_of(index, document)
        return
    try:
        for number, key in enumerate(each_key(index, document)):
            found.add(key)
            if number % _KEYS_AT_ONCE == 0:
                yield
    except ParallelArrays as error:
        raise StoreError(f"the index {index.name!r} cannot hold the document: {error}") from error


def insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows, many by one statement."""
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[begin : begin + _ROWS_AT_ONCE]
        row = f"({', '.join('?' * len(some[0]))})"
        database.execute(f"INSERT INTO {table} VALUES {', '.join([row] * len(some))}", list(chain.from_iterable(some)))


_NO_CLAIM: Final = (None, None)


def _claim(index: IndexSpec, key: bytes, id_: bytes) -> tuple[bytes, bytes] | tuple[None, None]:
    """Give the interval of a unique index that no other document may have a key in."""
    return (key[: -len(id_)], after(key[: -len(id_)])) if index.unique else _NO_CLAIM


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
    statements = _TAKE_IN if prepared.has_entries else _TAKE_IN_DOCUMENTS
    for part in range(prepared.parts):
        if part:
            pause()
        for statement in statements:
            database.execute(statement, {"batch": prepared.number, "part": part, "ts": ts})
    if prepared.unique and (found := database.execute(_TAKEN, {"batch": prepared.number}).fetchone()):
        raise UniqueViolation(*prepared.unique[found[0]])


def forget(database: sqlite3.Connection, number: int, part: int) -> None:
    """Delete a part of what was made ready."""
    with transaction(database):
        for table in ("ready", "ready_entries"):
            database.execute(f"DELETE FROM {table} WHERE batch = ? AND part = ?", (number, part))


def forget_at_once(database: sqlite3.Connection, prepared: Prepared) -> None:
    """Delete all of it, as a part of a transaction."""
    for table in ("ready", "ready_entries") if prepared.has_entries else ("ready",):
        database.execute(f"DELETE FROM {table} WHERE batch = ?", (prepared.number,))
