"""What the fields of a model are called on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synovia.schema.annotations import fields_of
from synovia.schema.maps_of_models import Models, slot_of


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


def python_names_in(table: type[BaseModel], document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find what a document has under the Python name of a field, where the database has another: it would be read, and no
    condition and no index would find it.

    Yields:
        The place, as ``items.dish_id`` without positions in lists, and the name in the database.
    """
    for at, found, models in slot_of(table, stored=True).maps(document):
        misleading = _misleading_names(models)
        for name in [name for name in misleading if name in found]:
            yield ".".join(map(str, (*at, name))), misleading[name]


@lru_cache(maxsize=1024)
def _misleading_names(models: Models) -> Mapping[str, str]:
    """Give the names that fields have in Python and no field has in the database, each with the one that it has there."""
    fields = {info.alias or name: name for model in models for name, info in fields_of(model).items()}
    return {name: real for real, name in fields.items() if name not in fields}
