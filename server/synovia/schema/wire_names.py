"""What the fields of a model are called on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synovia.schema.annotations import alternatives, element_of, fields_of, models_in, value_of
from synovia.schema.faults import meant
from synovia.schema.specs import CREATION_TIME


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


def python_names_in(annotation: Any, value: Any) -> Iterator[tuple[str, str]]:
    """Find what a document has under the Python name of a field, where the database has another: it would be read, and no
    condition and no index would find it.

    Args:
        annotation: What the value is: a table, for a document.

    Yields:
        The place, as ``items.dish_id`` without positions in lists, and the name in the database.
    """
    for at, found, models in _maps_in(annotation, value):
        fields = {real: name for model in models for name, real in _names_of(model)}
        for real, name in fields.items():
            if name in found and name not in fields:
                yield f"{at}{name}", real


def passed_over_in(annotation: Any, value: Any) -> Iterator[str]:
    """Find what a value says that its models do not declare, and so pass over: each place, and what may be meant there."""
    for at, found, models in _maps_in(annotation, value):
        if all(model.model_config.get("extra", "ignore") == "ignore" for model in models):
            fields = [pair for model in models for pair in _names_of(model)]
            for name in found.keys() - {each for pair in fields for each in pair} - {CREATION_TIME}:
                guess = meant(name, (real for _, real in fields))
                yield f"{at}{name} ({guess.removeprefix(': ')})" if guess else f"{at}{name}"


def _names_of(model: type[BaseModel]) -> list[tuple[str, str]]:
    return [(name, info.alias or name) for name, info in fields_of(model).items()]


def _maps_in(annotation: Any, value: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any], list[type[BaseModel]]]]:
    """Find each map that stands for a model: its place with a dot behind it, itself, and the models that it may be."""
    kinds = [*alternatives(annotation)]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    if isinstance(value, dict) and models:
        yield at, value, models
        for model in models:
            for name, real in _names_of(model):
                if real in value:
                    yield from _maps_in(fields_of(model)[name].annotation, value[real], f"{at}{real}.")
        return
    for kind in kinds:
        inside, items = (element_of(kind), value) if isinstance(value, list) else (value_of(kind), _values(value))
        if inside is not None and models_in(inside):
            for each in items:
                yield from _maps_in(inside, each, at)


def _values(value: Any) -> list[Any]:
    return [*value.values()] if isinstance(value, dict) else []
