"""The columns of a model: what of a row they show, and which fields that depends on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from synovia_protocol.spelling import nearest


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        field: The field that it shows; ``a.b`` is the field ``b`` of the map in ``a``. Its name as a role in QML too.
        title: What stands above it; the field by default.
        text: Makes what is shown of the value; by default text and numbers are shown as they are.
        value: Makes the value from the row, in place of ``field``.
        depends_on: The fields that it depends on; by default the first part of ``field``, or all if ``value`` is given.
        editable: Whether people may edit it.
        align: Qt's alignment, as an int.
    """

    field: str
    title: str | None = None
    text: Callable[[Any], str] | None = None
    value: Callable[[Any], Any] | None = None
    depends_on: Collection[str] | None = None
    editable: bool = False
    align: int | None = None

    @property
    def heading(self) -> str:
        """What stands above it."""
        return self.field if self.title is None else self.title

    def value_of(self, row: Any) -> Any:
        """Give the value for a row; None if the row has no such field."""
        if self.value is not None:
            return self.value(row)
        for name in self.field.split("."):
            row = row.get(name) if isinstance(row, dict) else None
        return row

    def shown(self, row: Any) -> Any:
        """Give what is displayed of a row."""
        value = self.value_of(row)
        if self.text is not None:
            return self.text(value)
        return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)

    def is_touched(self, names: frozenset[str] | None) -> bool:
        """Tell whether it may show something else when these fields changed; None: all of them."""
        if names is None or (self.value is not None and self.depends_on is None):
            return True
        fields = {self.field.partition(".")[0]} if self.depends_on is None else self.depends_on
        return not names.isdisjoint(fields)

    def changed(self, row: Any, value: Any) -> Any:
        """Give a copy of a row in which the field has another value."""
        return _with(row, self.field.split("."), value)


def _with(row: Any, names: list[str], value: Any) -> Any:
    first, *rest = names
    inner = row.get(first) if isinstance(row, dict) else None
    return {**(row if isinstance(row, dict) else {}), first: _with(inner, rest, value) if rest else value}


def columns_of(columns: Collection[Column | str]) -> list[Column]:
    """Give columns, of which some may be named by their fields only; ValueError if there is none, or one twice."""
    if isinstance(columns, str):
        raise TypeError(f"columns are a list, as [{columns!r}]")
    found = [Column(each) if isinstance(each, str) else each for each in columns]
    if not found or len({each.field for each in found}) != len(found):
        raise ValueError("a model has one column at least, and no field twice")
    return found


def misspelled(columns: Collection[Column], rows: Collection[Any]) -> Iterator[tuple[str, str]]:
    """Find the fields of columns that no row has, while rows have one that is spelled nearly so and that no column shows.

    A field that rows lack is no fault by itself: one that may be None is left out of them.
    """
    known = {name for row in rows if isinstance(row, dict) for name in row}
    shown = {column.field.partition(".")[0] for column in columns if column.value is None}
    for field in sorted(shown - known):
        if (near := nearest(field, known - shown)) is not None:
            yield field, near
