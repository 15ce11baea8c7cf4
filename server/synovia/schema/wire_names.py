"""What the fields of a model are called on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synovia.schema.annotations import alternatives, element_of, fields_of, value_of


def clash_of(model: type[BaseModel]) -> str | None:
    """Say which two fields have one name on the wire, so that the value of one would be lost; None if all differ."""
    for names in (_taken, _given):
        found: dict[str, str] = {}
        for python, info in model.model_fields.items():
            wire = names(python, info)
            other = python if wire is None else found.setdefault(wire, python)
            if other != python:
                return f"{other!r} and {python!r} are both {wire!r} on the wire; rename one of them"
    return None


def _taken(python: str, info: FieldInfo) -> str | None:
    alias = info.validation_alias or info.alias or python
    return alias if isinstance(alias, str) else None  # a path, or one of several names


def _given(python: str, info: FieldInfo) -> str | None:
    return info.serialization_alias or info.alias or python


def python_names_in(annotation: Any, value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Find what a document has under the Python name of a field, where the database has another: it would be read, and no
    condition and no index would find it.

    Args:
        annotation: What the value is: a table, for a document.
        at: Where the value lies, with a dot behind it.

    Yields:
        The place, as ``items.dish_id`` without positions in lists, and the name in the database.
    """
    kinds = [*alternatives(annotation)]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    if isinstance(value, dict) and models:
        fields = [(name, info.alias or name, info) for model in models for name, info in fields_of(model).items()]
        stored = {each for _, each, _ in fields}
        for name, real, info in fields:
            if name in value and name not in stored:
                yield f"{at}{name}", real
            if real in value:
                yield from python_names_in(info.annotation, value[real], f"{at}{real}.")
        return
    for kind in kinds:
        inside, items = (element_of(kind), value) if isinstance(value, list) else (value_of(kind), _values(value))
        if inside is not None:
            for each in items:
                yield from python_names_in(inside, each, at)


def _values(value: Any) -> list[Any]:
    return [*value.values()] if isinstance(value, dict) else []
