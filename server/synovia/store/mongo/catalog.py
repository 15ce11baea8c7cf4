"""What the store knows of its collections: their indexes' names, the unique ones, and which fields have held arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store.base import StoredIndex
from synovia.store.mongo.bounds import fields_of

FENCE: Final = "_fence"
REQUESTS: Final = "_requests"
ARRAYS: Final = "_arrays"
CHUNKS: Final = "_chunks"
FENCE_ID: Final = "commits"
OWN: Final = frozenset({FENCE, REQUESTS, ARRAYS, CHUNKS})
"""The collections that are no tables."""

PREFIX: Final = "synovia_"
"""How the names of the store's own indexes begin; it leaves all others alone."""

UNIQUE_SUFFIX: Final = "_unique"


def pattern_of(index: IndexSpec) -> dict[str, int]:
    """Give MongoDB's key pattern of an index: its fields, then ``_id``, so that equal keys have an order."""
    return dict.fromkeys(fields_of(index), 1)


class Catalog:
    """The tables of a store, as opened."""

    def __init__(self) -> None:
        self._tables: dict[str, TableSpec] = {}
        self._names: dict[tuple[str, tuple[str, ...]], str] = {}
        self._arrays: dict[str, set[str]] = {}

    @property
    def tables(self) -> Sequence[TableSpec]:
        return tuple(self._tables.values())

    def declare(self, tables: Iterable[TableSpec]) -> None:
        self._tables = {table.name: table for table in tables}

    def has(self, table: str) -> bool:
        return table in self._tables

    def declares(self, index: StoredIndex) -> bool:
        """Tell whether an index over the same fields is declared; a unique one needs the plain one, too."""
        spec = self._tables.get(index.table)
        declared = spec.indexes if spec is not None else ()
        return any(each.fields == index.fields and each.unique >= index.unique for each in declared)

    def name_index(self, table: str, pattern: Iterable[str], name: str) -> None:
        """Note under which name the database knows the index with these fields."""
        self._names[table, tuple(pattern)] = name

    def hint(self, table: str, index: IndexSpec) -> str | Mapping[str, Any]:
        """Name the index to MongoDB."""
        if not index.fields:
            return "_id_"
        return self._names.get((table, fields_of(index)), pattern_of(index))

    def unique_indexes(self, table: str) -> list[IndexSpec]:
        spec = self._tables.get(table)
        return [index.plain for index in spec.indexes if index.unique] if spec else []

    def has_arrays(self, table: str, fields: Iterable[str]) -> bool:
        """Tell whether one of the fields has been seen to hold an array."""
        return not self._arrays.get(table, set()).isdisjoint(fields)

    def remember_arrays(self, table: str, fields: Iterable[str]) -> None:
        self._arrays.setdefault(table, set()).update(fields)
