"""Sums, means, extremes and trends of the documents of a query, of all of them or of groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from synovia.aggregates.extremes import Extreme
from synovia.aggregates.lines import Line, Trend
from synovia.aggregates.tally import Cell, Kind, Summary, Tally
from synovia.aggregates.totals import Total
from synovia.functions.awaiting import awaited
from synovia.keys import BY_ID, Tag
from synovia.schema import Index, Table
from synovia.schema.fields import FieldPath, field_of

A = TypeVar("A")
_TYPES: Final[dict[type, int]] = {
    int: Tag.NUMBER,
    float: Tag.NUMBER,
    str: Tag.STRING,
    bool: Tag.BOOL,
    bytes: Tag.BINARY,
    datetime: Tag.DATE,
}


@dataclass(frozen=True)
class Question(Generic[A]):
    """What is asked of the documents of a query.

    Attributes:
        summary: What the database tallies.
        answer: Makes the answer from that.
    """

    summary: Summary
    answer: Callable[[Cell], A]


class Questions:
    """What can be asked of the documents of a table.

    Args:
        groups: Fields by which documents are put into groups.

    Raises:
        UnknownIndex: There is no such field.
        TypeError: A field holds a list, or nothing of the kind that the question is about.
    """

    def __init__(self, table: type[Table], groups: Sequence[str] = ()) -> None:
        self._table = table
        self.groups = [_single(table, name) for name in groups]

    def count(self) -> Question[int]:
        """Ask how many there are."""
        return Question(self._summary(Kind.COUNT), lambda cell: cell.count)

    def sum(self, name: str) -> Question[float]:
        """Ask for a sum."""
        field = self._of(name, "sum", int, float)
        return Question(self._summary(Kind.TOTAL, name), lambda cell: _sum(cell, field))

    def mean(self, name: str) -> Question[float | None]:
        """Ask for a mean."""
        self._of(name, "mean", int, float)
        return Question(self._summary(Kind.TOTAL, name), _mean)

    def extreme(self, name: str, kind: Kind) -> Question[Any]:
        """Ask for the least or the greatest value."""
        field = _single(self._table, name)
        types = (
            frozenset(_TYPES[kind] for kind in field.scalars) if field.scalars <= _TYPES.keys() else frozenset[int]()
        )
        return Question(replace(self._summary(kind, name), types=types), lambda cell: _extreme(cell, field))

    def trend(self, x: str, y: str) -> Question[Trend]:
        """Ask for the line that fits best."""
        self._of(x, "trend", int, float, datetime)
        self._of(y, "trend", int, float)
        return Question(self._summary(Kind.LINE, x, y), _trend)

    def _of(self, name: str, word: str, *kinds: type) -> FieldPath:
        field = _single(self._table, name)
        if field.scalars.isdisjoint(kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{field.table}.{field.name} is never {wanted}, of which {word}() is made")
        return field

    def _summary(self, kind: Kind, *names: str) -> Summary:
        names = (*(field.name for field in self.groups), *names)
        fields = Index(kind.value, *names) if names else None
        return Summary(kind, fields.spec_for(self._table) if fields else BY_ID, len(self.groups))


def _single(table: type[Table], name: str) -> FieldPath:
    field = field_of(table, name)
    if field.sealed is not None:
        raise TypeError(f"{field.table}.{field.name} is encrypted: the database cannot sum it up, sort or group by it")
    if field.in_list:
        raise TypeError(f"{field.table}.{field.name} is a list, or in one: a document has no single value there")
    return field


def _sum(cell: Cell, field: FieldPath) -> float:
    total = _kept(cell, Total)
    return total.sum() if float in field.scalars or not total.is_whole else total.whole()


def _mean(cell: Cell) -> float | None:
    return _kept(cell, Total).mean()


def _trend(cell: Cell) -> Trend:
    return _kept(cell, Line).trend()


def _extreme(cell: Cell, field: FieldPath) -> Any:
    value = _kept(cell, Extreme).first()
    try:
        return None if value is None else field.read(value)
    except ValidationError:
        return value  # a text that is none of those the field may have is a text all the same


def _kept(cell: Cell, kind: type[A]) -> A:
    if not isinstance(cell.kept, kind):
        raise TypeError(f"the tally is not of {kind.__name__}")
    return cell.kept


class Grouped:
    """The documents of a query in groups; each of its words gives a dict, in the order of an index over the groups' fields.

    Its keys are the values of the field, or tuples of them where there are several fields. Documents in which the field
    holds something else than its type are in no group.

    Args:
        ask: Tallies the documents.
    """

    def __init__(self, questions: Questions, ask: Callable[[Summary], Awaitable[Tally]]) -> None:
        self._questions = questions
        self._ask = ask

    @awaited("ctx.db.query(...).group_by(...).count")
    async def count(self) -> dict[Any, int]:
        """Count the documents of each group."""
        return await self._answer(self._questions.count())

    @awaited("ctx.db.query(...).group_by(...).sum")
    async def sum(self, field: str) -> dict[Any, float]:
        """Add up a field; see ``Query.sum``."""
        return await self._answer(self._questions.sum(field))

    @awaited("ctx.db.query(...).group_by(...).mean")
    async def mean(self, field: str) -> dict[Any, float | None]:
        """Give the mean of a field; see ``Query.mean``."""
        return await self._answer(self._questions.mean(field))

    @awaited("ctx.db.query(...).group_by(...).min")
    async def min(self, field: str) -> dict[Any, Any]:
        """Give the least value of a field; see ``Query.min``."""
        return await self._answer(self._questions.extreme(field, Kind.LEAST))

    @awaited("ctx.db.query(...).group_by(...).max")
    async def max(self, field: str) -> dict[Any, Any]:
        """Give the greatest value of a field; see ``Query.max``."""
        return await self._answer(self._questions.extreme(field, Kind.GREATEST))

    @awaited("ctx.db.query(...).group_by(...).trend")
    async def trend(self, x: str, y: str) -> dict[Any, Trend]:
        """Fit a line to two fields; see ``Query.trend``."""
        return await self._answer(self._questions.trend(x, y))

    async def _answer(self, question: Question[Any]) -> dict[Any, Any]:
        tally = await self._ask(question.summary)
        found = {}
        for key in sorted(tally.cells):
            cell = tally.cells[key]
            try:
                values = tuple(
                    field.read(value) for field, value in zip(self._questions.groups, cell.values, strict=True)
                )
            except ValidationError:
                continue
            found[values[0] if len(values) == 1 else values] = question.answer(cell)
        return found
