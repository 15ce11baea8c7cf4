"""Vector search: ``ctx.db.query(Note).nearest("by_meaning", vector, organization_id=org).take(10)``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from synovia import keys
from synovia.aggregates.nearest import Near
from synovia.aggregates.nearest import Nearest as Kept
from synovia.aggregates.tally import Kind, Summary
from synovia.errors import InvalidArguments
from synovia.functions.awaiting import awaited
from synovia.functions.conditions import Condition, resolved, tree_of
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.filtered_indexes import values_of_filters
from synovia.functions.given import checked_count
from synovia.functions.visibility import TableView
from synovia.keys import IndexSpec
from synovia.schema import Document, Model, Table, VectorSpec
from synovia.schema.vectors import refused
from synovia.store.filters import AllOf, Filter
from synovia.transaction.transaction import Scan
from synovia.vectors.scores import NotAVector, vector_of

T = TypeVar("T", bound=Table)
R = TypeVar("R")

MOST_NEAREST: Final = 1_000
"""So many documents one search gives at most."""


class Scored(Model, Generic[R]):
    """A row that was found, and how near it is: the cosine of the angle, or the dot product."""

    row: R
    score: float


class Nearest(Generic[T]):
    """The documents whose vectors are nearest, the nearest first, equally near ones in the order of their ids.

    Each step gives a new one; the last word reads.
    """

    def __init__(
        self,
        view: TableView,
        rows: Callable[[Sequence[Document]], Awaitable[list[T]]],
        table: type[T],
        spec: VectorSpec,
        vector: bytes,
        filters: Mapping[str, Any],
        where: Filter | None = None,
    ) -> None:
        self._view = view
        self._rows = rows
        self._table = table
        self._spec = spec
        self._vector = vector
        self._filters = filters
        self._where = where

    def where(self, condition: Condition) -> Nearest[T]:
        """Leave out documents that do not satisfy a condition."""
        tree = resolved(self._table, tree_of(condition, "where()"), self._view.keyring)
        both = tree if self._where is None else AllOf((self._where, tree))
        return Nearest(self._view, self._rows, self._table, self._spec, self._vector, self._filters, both)

    @awaited("ctx.db.query(...).nearest(...).take")
    async def take(self, n: int) -> list[T]:
        """Read the ``n`` nearest documents.

        Raises:
            InvalidArguments: ``n`` is more than ``MOST_NEAREST``, or less than 0.
        """
        return [row for row, _ in await self._first(n)]

    @awaited("ctx.db.query(...).nearest(...).first")
    async def first(self) -> T | None:
        """Read the nearest document, or None."""
        return next((row for row, _ in await self._first(1)), None)

    @awaited("ctx.db.query(...).nearest(...).scored")
    async def scored(self, n: int) -> list[Scored[T]]:
        """Read the ``n`` nearest documents, each with how near it is; see ``take``."""
        return [Scored(row=row, score=score) for row, score in await self._first(n)]

    async def _first(self, n: int) -> list[tuple[T, float]]:
        if checked_count(n, "take()") > MOST_NEAREST:
            raise InvalidArguments(f"a vector search gives 0 to {MOST_NEAREST:,} documents, not {n:,}")
        scan = await self._scan() if n else None
        if scan is None:
            return []
        limit = n
        while True:
            ranked = await self._ranked(scan, limit)
            rows = await self._readable(ranked.first()[: max(n, limit)])
            if len(rows) >= n or ranked.complete or limit > MOST_NEAREST:
                return rows[:n]
            limit *= 2  # some documents do not fit the table, and are left out

    async def _readable(self, found: Sequence[tuple[Any, float]]) -> list[tuple[T, float]]:
        documents = await self._view.get_many([id_ for id_, _ in found])
        rows = []
        for document, (_, score) in zip(documents, found, strict=True):
            if document is not None:
                rows += [(row, score) for row in await self._rows([document])]
        return rows

    async def _ranked(self, scan: Scan, limit: int) -> Kept:
        near = Near(self._vector, self._spec.metric, limit)
        fields = IndexSpec("nearest", (self._spec.field,))
        kept = (await self._view.aggregate(scan, Summary(Kind.NEAREST, fields, near=near))).only().kept
        if not isinstance(kept, Kept):
            raise TypeError("the tally is not of what is nearest")
        return kept

    async def _scan(self) -> Scan | None:
        """Give what is looked through; None: nothing.

        Raises:
            UnknownIndex: A filter has no value, neither here nor by the rules.
        """
        example = f"nearest({self._spec.name!r}, vector, NAME=...)"
        values = await values_of_filters(self._view, self._table, self._spec, self._filters, example)
        if values is None:
            return None
        return Scan(self._table.spec.name, self._spec.index, keys.prefix(values), where=self._where)


tell_elsewhere(
    Nearest,
    ["using", "order", "collect", "unique", "paginate", "count", "sum", "mean", "min", "max", "trend", "group_by"],
    "a vector search gives the nearest documents: by take(n), first() or scored(n), and has no {name}()",
)


def asked_of(table: type[Table], spec: VectorSpec, vector: Any) -> bytes:
    """Give the bytes of a vector with which others are compared.

    Raises:
        InvalidArguments: It has another length, or a number that is none; or it is zero.
    """
    try:
        return vector_of(vector, spec.dimensions).tobytes()
    except NotAVector as error:
        raise refused(table.spec.name, spec, error) from None
