"""Vector indexes as an application declares them, and the check of what is stored under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from synovia.errors import InvalidArguments, SchemaError
from synovia.keys import BY_ID, IndexSpec
from synovia.schema.annotations import alternatives, element_of
from synovia.schema.fields import list_on_the_way
from synovia.schema.index_fields import check_fields, database_name, index_over
from synovia.schema.specs import Document, TableSpec, VectorSpec
from synovia.vectors.scores import MOST_DIMENSIONS, Metric, NotAVector, vector_of

_MOST_FILTERS: Final = 8


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """Lets the nearest vectors of a table be found: ``VectorIndex("by_meaning", "embedding", dimensions=384)``.

    Args:
        name: What ``nearest`` calls it.
        field: The Python name of the field with the vectors, a ``list[float]``; where it is None a document is not found.
        dimensions: How many numbers each vector has.
        metric: ``"cosine"``: the smaller the angle, the nearer. ``"dot"``: the larger the dot product.
        filters: The fields whose values every search gives, or the rules of the table give for it. What has other values
            costs it nothing.
    """

    name: str
    field: str
    dimensions: int
    metric: Metric
    filters: tuple[str, ...]

    def __init__(
        self,
        name: str,
        field: str,
        *,
        dimensions: int,
        metric: Literal["cosine", "dot"] = "cosine",
        filters: Sequence[str] = (),
    ) -> None:
        if metric not in [each.value for each in Metric]:
            raise SchemaError(f"the vector index {name!r}: there is no metric {metric!r}, but 'cosine' and 'dot'")
        if not isinstance(dimensions, int) or not 1 <= dimensions <= MOST_DIMENSIONS:
            raise SchemaError(f"the vector index {name!r}: a vector has 1 to {MOST_DIMENSIONS:,} dimensions")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "dimensions", dimensions)
        object.__setattr__(self, "metric", Metric(metric))
        object.__setattr__(self, "filters", (filters,) if isinstance(filters, str) else tuple(filters))

    def check(self, table: Any) -> None:
        """Refuse what cannot work.

        Raises:
            SchemaError: A field is not there, or cannot be what it is to be.
        """
        place = f"{table.__name__}: the vector index {self.name!r}"
        check_fields(table, place, (self.field, *self.filters), "its values are not to be compared")
        info = table.model_fields.get(self.field)
        if info is None or not _holds_vectors(info.annotation):
            raise SchemaError(f"{place} is over {self.field!r}, which is no list[float] of the table")
        if len({*self.filters}) < len(self.filters) or len(self.filters) > _MOST_FILTERS:
            raise SchemaError(f"{place} names a filter twice, or more than {_MOST_FILTERS}")
        for field in self.filters:
            if list_on_the_way(table, field) is not None:
                raise SchemaError(f"{place} filters by {field!r}, which is a list; say .where(...) when you search")

    def spec_for(self, table: Any, indexes: Iterable[IndexSpec]) -> VectorSpec:
        """Describe it to a database, which has one index over the filters: that of another name if there is one."""
        own = index_over(table, self.name, self.filters) if self.filters else BY_ID
        names = tuple(map(database_name, self.filters))
        index = next((each for each in indexes if each.fields == names), own)
        field = database_name(self.field)
        return VectorSpec(self.name, field, self.field, self.filters, self.dimensions, self.metric, index)


def _holds_vectors(annotation: Any) -> bool:
    kinds = {kind for kind in alternatives(annotation) if kind is not type(None)}
    return len(kinds) == 1 and element_of(kinds.pop()) is float


def check_vectors(table: TableSpec, before: Document | None, after: Document) -> None:
    """Refuse a new vector that no search could compare.

    Raises:
        InvalidArguments: It has another length, or a number that is none; or it is zero.
    """
    for each in table.vectors:
        value = after.get(each.field)
        if value is None or (before is not None and before.get(each.field) == value):
            continue
        try:
            vector_of(value, each.dimensions)
        except NotAVector as error:
            raise refused(table.name, each, error) from None


def refused(table: str, index: VectorSpec, error: NotAVector) -> InvalidArguments:
    """Give the refusal of a value that is no vector."""
    faults = [{"at": index.field, "message": str(error)}]
    return InvalidArguments(f"{table}.{index.python_name}, index {index.name!r}: {error}", faults)
