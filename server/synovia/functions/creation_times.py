"""Rows in results: ``_creationTime`` of those that came from elsewhere, whose ids do not tell when they were made.

Whoever reads a row of Synovia's own can tell it from the id; of an imported one only the document knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from synovia.schema import CREATION_TIME, Table, time_of_id
from synovia.schema.annotations import alternatives, element_of, fields_of, is_untyped, value_of


def may_hold_rows(annotation: Any) -> bool:
    """Tell whether a row may stand somewhere in a value."""
    return _holds(annotation, set())


def _holds(annotation: Any, seen: set[type[BaseModel]]) -> bool:
    for kind in alternatives(annotation):
        if is_untyped(kind):
            return True
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if issubclass(kind, Table):
                return True
            if kind not in seen:
                seen.add(kind)
                if any(_holds(info.annotation, seen) for info in fields_of(kind).values()):
                    return True
        inside = element_of(kind) or value_of(kind)
        if inside is not None and _holds(inside, seen):
            return True
    return False


def tell_creation_times(value: Any, wire: Any) -> None:
    """Write into what has been dumped of a value when its imported rows were made."""
    for row, dumped in _rows(value, wire):
        made = row.__dict__.get(CREATION_TIME)
        if made is not None and time_of_id(row.id) is None:
            dumped.setdefault(CREATION_TIME, made)


def note_rows(value: Any, wire: Any) -> None:
    """Note with the rows of a value that was made from ``wire`` of which table they are, and when they were made."""
    for row, dumped in _rows(value, wire):
        row.id.of(type(row))
        if CREATION_TIME in dumped:
            row.note_creation_time(dumped[CREATION_TIME])


def _rows(value: Any, wire: Any) -> Iterator[tuple[Table, dict[str, Any]]]:
    """Give the rows in a value, each with what stands in its place on the wire."""
    if isinstance(value, BaseModel):
        yield from _rows_of_model(value, wire)
    elif isinstance(value, Mapping) and isinstance(wire, dict):
        for key, item in value.items():
            yield from _rows(item, wire.get(key))
    elif isinstance(value, list | tuple) and isinstance(wire, list | tuple):
        for item, told in zip(value, wire, strict=False):
            yield from _rows(item, told)


def _rows_of_model(value: BaseModel, wire: Any) -> Iterator[tuple[Table, dict[str, Any]]]:
    if not isinstance(wire, dict):
        return
    if isinstance(value, Table):
        yield value, wire
        return
    for name, info in type(value).model_fields.items():
        yield from _rows(getattr(value, name), wire.get(info.serialization_alias or info.alias or name))
