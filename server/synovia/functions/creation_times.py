"""``_creationTime`` in results: of rows that came from elsewhere, whose ids do not tell when they were made.

Whoever reads a row of Synovia's own can tell it from the id; of an imported one only the document knows.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    if isinstance(value, BaseModel):
        _tell_of_model(value, wire)
    elif isinstance(value, Mapping) and isinstance(wire, dict):
        for key, item in value.items():
            tell_creation_times(item, wire.get(key))
    elif isinstance(value, list | tuple) and isinstance(wire, list | tuple):
        for item, told in zip(value, wire, strict=False):
            tell_creation_times(item, told)


def _tell_of_model(value: BaseModel, wire: Any) -> None:
    if not isinstance(wire, dict):
        return
    if isinstance(value, Table):
        made = value.__dict__.get(CREATION_TIME)
        if made is not None and time_of_id(value.id) is None:
            wire.setdefault(CREATION_TIME, made)
        return
    for name, info in type(value).model_fields.items():
        tell_creation_times(getattr(value, name), wire.get(info.serialization_alias or info.alias or name))
