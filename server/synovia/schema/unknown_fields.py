"""What a model is given, and is none of its fields; documents are read without this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from synovia.schema.faults import Unknown, meant
from synovia.schema.maps_of_models import NESTING, Models, given_names, slot_of, slots_of
from synovia.schema.specs import CREATION_TIME


def may_be_unknown(model: type[BaseModel], given: Mapping[str, Any]) -> bool:
    """Tell at once whether it makes sense to look."""
    names = given_names(model)
    if names is None:
        return False
    return not given.keys() <= names.keys() or any(isinstance(given.get(each), NESTING) for each in slots_of((model,)))


def unknown_fields(model: type[BaseModel], given: Mapping[str, Any]) -> Iterator[Unknown]:
    """Give each that a program says; also inside, where a map stands for a model."""
    for at, found, models in slot_of(model).maps(given, positions=True):
        yield from (((*at, name), _fields_of(models)) for name in _unknown(models, found))


def unknown_in(model: type[BaseModel], name: str, value: Any) -> Iterator[Unknown]:
    """Give each that a program says in the value of a field."""
    slot = slots_of((model,)).get(name)
    for at, found, models in slot.maps(value, (name,), positions=True) if slot is not None else ():
        yield from (((*at, each), _fields_of(models)) for each in _unknown(models, found))


def passed_over_in(model: type[BaseModel], given: Mapping[str, Any]) -> Iterator[str]:
    """Find what a client says that the models inside do not declare, and so pass over.

    Yields:
        The place, as ``items.cuont`` without positions in lists, and what may be meant there.
    """
    for at, found, models in slot_of(model).maps(given):
        for name in _unknown(models, found):
            if name != CREATION_TIME:
                fields = (info.alias or each for model in models for each, info in model.model_fields.items())
                guess = meant(name, fields)
                place = ".".join(map(str, (*at, name)))
                yield f"{place} ({guess.removeprefix(': ')})" if guess else place


def _unknown(models: Models, found: Mapping[str, Any]) -> list[str]:
    """Give what none of the models that a map may be declares, unless pydantic itself refuses that."""
    if all(model.model_config.get("extra") == "forbid" for model in models):
        return []
    known = [given_names(model) or {} for model in models]
    return [name for name in found if not any(name in names for names in known)]


def _fields_of(models: Models) -> list[str]:
    return [name for model in models for name in model.model_fields]
