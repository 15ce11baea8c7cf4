"""What is asked of many documents, and what has been counted and added up of them so far, in groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from bson.datetime_ms import DatetimeMS

from synovia import keys
from synovia.aggregates.extremes import Extreme
from synovia.aggregates.lines import Line
from synovia.aggregates.nearest import Near, Nearest
from synovia.aggregates.totals import Total, is_number
from synovia.errors import FunctionError
from synovia.keys import IndexSpec
from synovia.turns import Turns
from synovia_protocol.errors import ErrorCode

MOST_GROUPS: Final = 10_000
_CELL_BYTES: Final = 400
_VALUE_BYTES: Final = 250


class Kind(Enum):
    """What is kept of the documents of a group, besides their number."""

    COUNT = "count"
    TOTAL = "total"
    LEAST = "least"
    GREATEST = "greatest"
    LINE = "line"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Summary:
    """What is asked of documents.

    Attributes:
        kind: What is kept.
        fields: First those by which documents are put into groups, then those that are added up, with what counts
            where one is lacking; the one that holds vectors if the nearest are asked for.
        groups: How many of them are for groups; 0: all documents are one.
        types: Of which types (the first bytes of index keys) a value has to be to be the least or greatest; empty: any.
        near: Which documents are the nearest.
    """

    kind: Kind
    fields: IndexSpec
    groups: int = 0
    types: frozenset[int] = frozenset()
    near: Near | None = None


class TooManyGroups(FunctionError):
    """Documents fall into more groups than one answer may have."""

    def __init__(self) -> None:
        text = f"group_by() found more than {MOST_GROUPS:,} groups; narrow the query with using() or where()"
        super().__init__(ErrorCode.LIMIT_EXCEEDED, text)


Kept = Total | Line | Extreme | Nearest


class Cell:
    """One group.

    Attributes:
        values: Those of the fields by which it is one.
        count: Its documents.
        kept: A ``Total``, ``Line``, ``Extreme`` or ``Nearest``; None if only the number is asked for.
    """

    __slots__ = ("count", "kept", "values")

    def __init__(self, values: tuple[Any, ...], kept: Kept | None) -> None:
        self.values = values
        self.count = 0
        self.kept = kept

    def copy(self) -> Cell:
        """Give another one that may be moved without this one."""
        other = Cell(self.values, self.kept.copy() if isinstance(self.kept, Extreme | Nearest) else self.kept)
        other.count = self.count
        return other

    def move(
        self, document: Mapping[str, Any], values: tuple[Any, ...], times: int, types: frozenset[int] = frozenset()
    ) -> bool:
        """Add a document by its values, or take one away; tell whether it is still known what the answer is.

        What is no number adds nothing to a sum, and None is neither least nor greatest.
        """
        self.count += times
        match self.kept:
            case Total() as total if is_number(values[0]):
                self.kept = total.moved(values[0], times)
            case Line() as line:
                x, y = (_coordinate(value) for value in values)
                if x is not None and y is not None:
                    self.kept = line.moved(x, y, times)
            case Extreme() as extreme:
                return _move_extreme(extreme, values[0], times, types)
            case Nearest() as nearest if times < 0:
                return nearest.remove(document, values)
            case Nearest() as nearest:
                nearest.add(document, values)
        return True


def _coordinate(value: Any) -> float | None:
    if is_number(value):
        return value  # type: ignore[no-any-return]
    return keys.millis_of(value) if isinstance(value, datetime | DatetimeMS) else None


def _move_extreme(extreme: Extreme, value: Any, times: int, types: frozenset[int]) -> bool:
    if value is None or value != value:  # NaN has no place in an order
        return True
    key = keys.encode_value(value)
    if types and key[0] not in types:
        return True
    if times < 0:
        return extreme.remove(key)
    extreme.add(key, value)
    return True


class Tally:
    """What has been found of some documents. Those that were added can be taken away again.

    Attributes:
        cells: The groups that have documents, by the index keys of their values.
    """

    __slots__ = ("_mine", "cells", "summary")

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self.cells: dict[bytes, Cell] = {}
        self._mine: set[bytes] | None = None  # the cells that no other tally shares; None: all of them

    def copy(self) -> Tally:
        """Give another one that may be moved without this one."""
        other = Tally(self.summary)
        other.cells, other._mine = dict(self.cells), set()
        return other

    def add(self, document: Mapping[str, Any]) -> None:
        """Add a document."""
        self._move(document, 1)

    def remove(self, document: Mapping[str, Any]) -> bool:
        """Take away a document that was added; tell whether the answer is still known without asking the database."""
        return self._move(document, -1)

    def check(self) -> None:
        """Look at what there is.

        Raises:
            TooManyGroups: It is more than one answer may have.
        """
        if len(self.cells) > MOST_GROUPS:
            raise TooManyGroups

    def footprint(self) -> int:
        """Estimate the bytes it takes."""
        kept = sum(len(cell.kept.keys()) for cell in self.cells.values() if isinstance(cell.kept, Extreme))
        near = sum(cell.kept.footprint() for cell in self.cells.values() if isinstance(cell.kept, Nearest))
        return _CELL_BYTES * len(self.cells) + _VALUE_BYTES * kept + near

    def answers(self) -> dict[bytes, Any]:
        """Give, for each group, its number of documents and the total, the line or the extreme value."""
        return {
            key: (cell.count, cell.kept.first() if isinstance(cell.kept, Extreme | Nearest) else cell.kept)
            for key, cell in self.cells.items()
        }

    def only(self) -> Cell:
        """Give the cell of all documents, if none are asked for by groups."""
        return self.cells.get(b"") or self._new(())

    def _move(self, document: Mapping[str, Any], times: int) -> bool:
        values = keys.values_of(self.summary.fields, document)
        group = values[: self.summary.groups]
        key = keys.encode(group) if group else b""
        cell = self._cell(key, group)
        known = cell.move(document, values[self.summary.groups :], times, self.summary.types)
        if not cell.count:
            del self.cells[key]
            return True
        return known

    def _cell(self, key: bytes, group: tuple[Any, ...]) -> Cell:
        cell = self.cells.get(key)
        if cell is None:
            cell = self._new(group)
        elif self._mine is None or key in self._mine:
            return cell
        else:
            cell = cell.copy()
        if self._mine is not None:
            self._mine.add(key)
        self.cells[key] = cell
        return cell

    def _new(self, group: tuple[Any, ...]) -> Cell:
        kept: Kept | None = None
        match self.summary.kind:
            case Kind.TOTAL:
                kept = Total()
            case Kind.LINE:
                kept = Line()
            case Kind.LEAST | Kind.GREATEST as kind:
                kept = Extreme(greatest=kind is Kind.GREATEST)
            case Kind.NEAREST if self.summary.near is not None:
                kept = Nearest(self.summary.near)
        return Cell(group, kept)


def tally_of_nearest(summary: Summary, nearest: Nearest, count: int) -> Tally:
    """Give the tally of some documents of which the nearest are known already."""
    tally = Tally(summary)
    if count:
        cell = Cell((), nearest)
        cell.count = count
        tally.cells[b""] = cell
    return tally


async def tally_of(summary: Summary, documents: Iterable[Mapping[str, Any]], turns: Turns) -> Tally:
    """Tally documents."""
    tally = Tally(summary)
    for document in documents:
        tally.add(document)
        tally.check()
        await turns.step()
    return tally
