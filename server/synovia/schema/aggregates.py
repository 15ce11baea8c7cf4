"""Aggregate indexes as an application declares them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from synovia.errors import SchemaError
from synovia.keys import IndexSpec
from synovia.schema.fields import list_on_the_way, numbers_on_the_way
from synovia.schema.index_fields import check_fields, index_over
from synovia.schema.kept import SoftDelete
from synovia.schema.specs import AggregateSpec

WAY: Final = 1
"""Goes up when what the database keeps is to be kept in another way."""
_MOST_SUMS: Final = 8


@dataclass(frozen=True, slots=True)
class AggregateIndex:
    """Keeps counts and sums of a table: ``AggregateIndex("by_points", "class_id", "points", sums=("points",))``.

    It is an index like any other, of which the database also keeps how many documents there are between any two places
    of it, and sums of fields. So a count, a sum, a rank or a quantile costs nearly the same in large and small tables.

    Args:
        name: What ``aggregate`` calls it.
        fields: The Python names of its fields in order; dots reach into embedded models.
        sums: Those of the numbers that are added up.
    """

    name: str
    fields: tuple[str, ...]
    sums: tuple[str, ...]

    def __init__(self, name: str, *fields: str, sums: Sequence[str] = ()) -> None:
        if not fields:
            raise SchemaError(f"the aggregate index {name!r} has no fields")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "sums", (sums,) if isinstance(sums, str) else tuple(sums))

    @property
    def unique(self) -> bool:
        """Never: it is no unique index."""
        return False

    def check(self, table: Any) -> None:
        """Refuse what cannot work.

        Raises:
            SchemaError: A field is not there, or cannot be what it is to be.
        """
        place = f"{table.__name__}: the aggregate index {self.name!r}"
        check_fields(table, place, (*self.fields, *self.sums), "it is neither sorted nor added up")
        for field in (*self.fields, *self.sums):
            if list_on_the_way(table, field) is not None:
                raise SchemaError(f"{place} names {field!r}, which is a list: a document has no single place then")
        if len({*self.fields}) < len(self.fields) or len({*self.sums}) < len(self.sums):
            raise SchemaError(f"{place} names a field twice")
        if len(self.sums) > _MOST_SUMS:
            raise SchemaError(f"{place} has more than {_MOST_SUMS} sums")
        for field in self.sums:
            if not numbers_on_the_way(table, field):
                raise SchemaError(f"{place} adds up {field!r}, which is never a number")

    def spec_for(self, table: Any, name: str, indexes: Iterable[IndexSpec]) -> AggregateSpec:
        """Describe it to a database, which has one index over its fields: that of another name if there is one.

        Args:
            name: The name of the table.
        """
        own, summed = index_over(table, self.name, self.fields), index_over(table, "sums", self.sums)
        index = next((each for each in indexes if each.fields == own.fields and not each.unique), own)
        hides = issubclass(table, SoftDelete)
        way = [WAY, index.fields, _hex(index), summed.fields, _hex(summed), hides]
        tree = f"{name}.{self.name}_{hashlib.sha256(json.dumps(way).encode()).hexdigest()[:8]}"
        return AggregateSpec(self.name, self.fields, self.sums, tree, index, summed, hides)


def _hex(index: IndexSpec) -> list[list[str | None]]:
    return [[None if default is None else default.hex() for default in each] for each in index.defaults]
