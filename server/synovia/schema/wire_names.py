"""What the fields of a model are called on the wire."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo


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
