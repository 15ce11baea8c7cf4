"""Tables as the database knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from synovia.keys import IndexSpec
from synovia.vectors.scores import Metric

Document = dict[str, Any]
"""A document as the database holds it: BSON values, field names as on the wire, ``_id`` first."""


Reading = int
"""Of the clock of ids: milliseconds since 1970, times 2^14, plus a counter."""

CREATION_TIME: Final = "_creationTime"
"""Where a document says when it was made, in milliseconds since 1970, if its id does not."""

SEARCH_TERMS: Final = "_search"
"""Where a document has the terms under which search indexes find it."""


class Undecodable(Document):
    """A document that the database holds and nobody can decode: only its ``_id`` is known.

    Attributes:
        reason: What is wrong with it.
    """

    def __init__(self, id_: Any, reason: str) -> None:
        super().__init__(_id=id_)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """A declared search index.

    Attributes:
        fields: The database names of the fields that are searched, the most important first.
        filters: The Python names of the fields by which the index begins.
        language: That of the stems; None: there are none.
        key: Under which documents have their terms; another one for other terms.
        index: Over the filters, then the terms.
        lacking: Has the documents without terms of this key under null.
    """

    name: str
    fields: tuple[str, ...]
    filters: tuple[str, ...]
    language: str | None
    key: str
    index: IndexSpec
    lacking: IndexSpec


@dataclass(frozen=True, slots=True)
class VectorSpec:
    """A declared vector index.

    Attributes:
        field: The database name of the field with the vectors, and ``python_name``.
        filters: The Python names of the fields by which the index begins.
        dimensions: How many numbers a vector has.
        index: Over the filters; that of ids where there are none.
    """

    name: str
    field: str
    python_name: str
    filters: tuple[str, ...]
    dimensions: int
    metric: Metric
    index: IndexSpec


@dataclass(frozen=True, slots=True)
class AggregateSpec:
    """A declared aggregate index.

    Attributes:
        names: The Python names of the fields it is over, in order.
        sums: The Python names of those that are added up.
        tree: Under which name the database keeps its sums; another one for other sums.
        index: Over the fields.
        summed: What is added up, as an index knows it.
        hides_deleted: Whether documents that are deleted softly do not count.
    """

    name: str
    names: tuple[str, ...]
    sums: tuple[str, ...]
    tree: str
    index: IndexSpec
    summed: IndexSpec
    hides_deleted: bool


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table and its indexes; the index ``by_id`` always exists and is not listed.

    Attributes:
        indexes: Those of ``searches``, ``vectors`` and ``aggregates`` are among them.
        system: Whether Synovia itself keeps it.
    """

    name: str
    indexes: tuple[IndexSpec, ...] = ()
    searches: tuple[SearchSpec, ...] = ()
    vectors: tuple[VectorSpec, ...] = ()
    aggregates: tuple[AggregateSpec, ...] = ()
    system: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "system", self.name.startswith("_"))

    @property
    def keeps_creation_time(self) -> bool:
        """Whether every new document says when it was made, because an index is over that."""
        return any(CREATION_TIME in index.fields for index in self.indexes)
