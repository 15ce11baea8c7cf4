"""Which tables and indexes there are, and bringing them up to date with what is declared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from synovia.keys import IndexSpec, decode, index_keys
from synovia.schema.specs import TableSpec
from synovia.store.base import IndexMissing, StoredIndex, StoreError, StoreUnusable
from synovia.store.sqlite.documents import load


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A declared table: its number in the file, and every index that the file keeps of it with its own number."""

    number: int
    indexes: dict[IndexSpec, int] = field(default_factory=dict)


class Catalog:
    """The tables of the file by name, declared or not.

    Attributes:
        revision: How often an index was taken away.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._tables: dict[str, TableEntry] = {}
        self._names: dict[int, str] = {}
        self._declared: dict[str, TableSpec] = {}

    def table(self, name: str) -> TableEntry:
        try:
            return self._tables[name]
        except KeyError:
            raise StoreError(f"there is no table {name!r}") from None

    def index(self, table: str, index: IndexSpec) -> tuple[int, int | None]:
        """Tell the numbers of a table and of its index; None is the order of ``_id``."""
        entry = self.table(table)
        if not index.fields:
            return entry.number, None
        if index not in entry.indexes:
            raise IndexMissing(table, index.name)
        return entry.number, entry.indexes[index]

    def index_name(self, number: int) -> tuple[str, str]:
        """Tell the names of the table of an index and of the index itself."""
        for table, entry in self._tables.items():
            for index, each in entry.indexes.items():
                if each == number:
                    return table, index.name
        raise StoreError(f"there is no index of the number {number}")

    def name(self, number: int) -> str:
        """Tell the name of a table, also of one that is not declared any more."""
        return self._names[number]

    def names(self) -> list[str]:
        """Name all tables of the file."""
        return [*self._tables]

    def bring_up_to_date(self, database: sqlite3.Connection, tables: Sequence[TableSpec]) -> None:
        """Make what is missing of the declared tables and indexes; nothing is taken away that another version declares.

        Raises:
            StoreUnusable: An index that is to be unique has several documents for one key.
        """
        for spec in tables:
            database.execute("INSERT OR IGNORE INTO tables (name) VALUES (?)", (spec.name,))
        for number, name in database.execute("SELECT tbl, name FROM tables").fetchall():
            self._names[number] = name
            self._tables[name] = TableEntry(number, _indexes_of(database, number))
        for spec in tables:
            entry = self._tables[spec.name]
            for index in self._missing(spec):
                _drop_of_other_defaults(database, entry, index)
                entry.indexes[index] = _build(database, spec.name, entry.number, index)
        self._declared = {spec.name: spec for spec in tables}

    def _missing(self, spec: TableSpec) -> list[IndexSpec]:
        there = self._indexes(spec)
        return [index for index in spec.indexes if index.fields and index not in there]

    def missing_indexes(self, tables: Sequence[TableSpec] | None) -> list[StoredIndex]:
        """List the indexes of tables that the file does not have."""
        of = self._declared.values() if tables is None else tables
        return [_stored(spec.name, index) for spec in of for index in self._missing(spec)]

    def unused_indexes(self, tables: Sequence[TableSpec] | None) -> list[StoredIndex]:
        """List the indexes of tables that these do not declare."""
        of = self._declared.values() if tables is None else tables
        return [_stored(spec.name, index) for spec in of for index in self._indexes(spec) if index not in spec.indexes]

    def _indexes(self, spec: TableSpec) -> Iterable[IndexSpec]:
        return self._tables[spec.name].indexes if spec.name in self._tables else ()

    def drop_index(self, database: sqlite3.Connection, unused: StoredIndex) -> None:
        """Take away an index that no table declares."""
        self.revision += 1
        entry = self.table(unused.table)
        declared = self._declared.get(unused.table, TableSpec(unused.table)).indexes
        for index in list(entry.indexes):
            if _stored(unused.table, index) == unused and index not in declared:
                _drop(database, entry.indexes.pop(index))


def _stored(table: str, index: IndexSpec) -> StoredIndex:
    return StoredIndex(table, index.name, index.fields, index.unique)


def _drop_of_other_defaults(database: sqlite3.Connection, entry: TableEntry, wanted: IndexSpec) -> None:
    """Take away the same index as of when its fields had other defaults: it would find and forbid the same things."""
    for index in list(entry.indexes):
        if index.plain == wanted.plain:
            _drop(database, entry.indexes.pop(index))


def _drop(database: sqlite3.Connection, number: int) -> None:
    for statement in (
        "DELETE FROM indexes WHERE idx = ?",
        "DELETE FROM entries WHERE idx = ?",
        "DELETE FROM past_entries WHERE idx = ?",
    ):
        database.execute(statement, (number,))


def _indexes_of(database: sqlite3.Connection, table: int) -> dict[IndexSpec, int]:
    rows = database.execute("SELECT idx, name, fields, uniq, defaults FROM indexes WHERE tbl = ?", (table,))
    return {
        IndexSpec(name, tuple(json.loads(fields)), bool(unique), _defaults_from(defaults)): number
        for number, name, fields, unique, defaults in rows
    }


def _defaults_from(text: str) -> tuple[tuple[bytes | None, ...], ...]:
    return tuple(tuple(None if each is None else bytes.fromhex(each) for each in path) for path in json.loads(text))


def _defaults_to(index: IndexSpec) -> str:
    return json.dumps([[None if each is None else each.hex() for each in path] for path in index.defaults])


def _build(database: sqlite3.Connection, table: str, table_number: int, index: IndexSpec) -> int:
    number = database.execute(
        "INSERT INTO indexes (tbl, name, fields, uniq, defaults) VALUES (?, ?, ?, ?, ?)",
        (table_number, index.name, json.dumps(index.fields), index.unique, _defaults_to(index)),
    ).lastrowid
    if number is None:
        raise StoreError("the database gave the index no number")
    database.executemany(
        "INSERT INTO entries (idx, key, id, since) VALUES (?, ?, ?, ?)",
        (
            (number, key, id_, since)
            for id_, since, body in database.execute("SELECT id, since, body FROM docs WHERE tbl = ?", (table_number,))
            for key in index_keys(index, load(body))
        ),
    )
    _build_past(database, table_number, number, index)
    if index.unique:
        _check_unique(database, table, number, index)
    return number


def _build_past(database: sqlite3.Connection, table_number: int, number: int, index: IndexSpec) -> None:
    past = database.execute("SELECT id, since, until, body FROM past_docs WHERE tbl = ?", (table_number,))
    database.executemany(
        "INSERT INTO past_entries (until, idx, key, id, since) VALUES (?, ?, ?, ?, ?)",
        ((until, number, key, id_, since) for id_, since, until, body in past for key in index_keys(index, load(body))),
    )


def _check_unique(database: sqlite3.Connection, table: str, number: int, index: IndexSpec) -> None:
    keys: Iterable[tuple[bytes, bytes]] = database.execute(
        "SELECT key, id FROM entries WHERE idx = ? ORDER BY key", (number,)
    )
    before = None
    for key, id_ in keys:
        values = key[: -len(id_)]
        if values == before:
            raise StoreUnusable(
                f"the index {index.name!r} of {table!r} cannot be unique: several documents have the key"
                f" {decode(values)}; change all but one of them"
            )
        before = values
