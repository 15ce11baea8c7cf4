"""Which tables and indexes there are, and bringing them up to date with what is declared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from synovia.keys import IndexSpec, decode, index_keys
from synovia.schema.specs import TableSpec
from synovia.store.base import StoreError, StoreUnavailable
from synovia.store.sqlite.documents import load


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A declared table: its number in the file, and that of each index."""

    number: int
    indexes: dict[str, tuple[int, IndexSpec]] = field(default_factory=dict)


class Catalog:
    """The declared tables by name."""

    def __init__(self) -> None:
        self._tables: dict[str, TableEntry] = {}
        self._names: dict[int, str] = {}

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
        if index.name not in entry.indexes:
            raise StoreError(f"the table {table!r} has no index {index.name!r}")
        return entry.number, entry.indexes[index.name][0]

    def name(self, number: int) -> str:
        """Tell the name of a table, also of one that is not declared any more."""
        return self._names[number]

    def bring_up_to_date(self, database: sqlite3.Connection, tables: Sequence[TableSpec]) -> None:
        """Make the file's tables and indexes those declared; documents of other tables are left alone.

        Raises:
            StoreUnavailable: An index that is to be unique has several documents for one key.
        """
        for spec in tables:
            database.execute("INSERT OR IGNORE INTO tables (name) VALUES (?)", (spec.name,))
            (number,) = database.execute("SELECT tbl FROM tables WHERE name = ?", (spec.name,)).fetchone()
            self._tables[spec.name] = entry = TableEntry(number)
            _update_indexes(database, spec, entry)
        self._names = dict(database.execute("SELECT tbl, name FROM tables"))


def _update_indexes(database: sqlite3.Connection, spec: TableSpec, entry: TableEntry) -> None:
    rows = database.execute("SELECT name, idx, fields, uniq FROM indexes WHERE tbl = ?", (entry.number,)).fetchall()
    there = {name: (idx, IndexSpec(name, tuple(json.loads(fields)), bool(uniq))) for name, idx, fields, uniq in rows}
    wanted = {index.name: index for index in spec.indexes if index.fields}
    for name, (number, found) in there.items():
        if wanted.get(name) != found:
            _drop(database, number)
        else:
            entry.indexes[name] = (number, found)
    for name, index in wanted.items():
        if name not in entry.indexes:
            entry.indexes[name] = (_build(database, spec.name, entry.number, index), index)


def _drop(database: sqlite3.Connection, number: int) -> None:
    database.execute("DELETE FROM indexes WHERE idx = ?", (number,))
    database.execute("DELETE FROM entries WHERE idx = ?", (number,))
    database.execute("DELETE FROM past_entries WHERE idx = ?", (number,))


def _build(database: sqlite3.Connection, table: str, table_number: int, index: IndexSpec) -> int:
    number = database.execute(
        "INSERT INTO indexes (tbl, name, fields, uniq) VALUES (?, ?, ?, ?)",
        (table_number, index.name, json.dumps(index.fields), index.unique),
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
            raise StoreUnavailable(
                f"the index {index.name!r} of {table!r} cannot be unique: several documents have the key"
                f" {decode(values)}; change all but one of them"
            )
        before = values
