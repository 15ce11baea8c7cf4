"""The maps in a value that stand for models, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

from pydantic import BaseModel, BeforeValidator, PlainValidator, WrapValidator

from synovia.schema.annotations import alternatives_with, element_of, fields_of, is_untyped, models_in, value_of

Path = tuple[str | int, ...]
Models = tuple[type[BaseModel], ...]
Standing = tuple[Path, Mapping[str, Any], Models]
"""Where a map stands, itself, and the models that it may be: of several nobody asks which is meant."""
NESTING = (dict, list, tuple)
"""In these a map may stand for a model."""
_READERS = (BeforeValidator, PlainValidator, WrapValidator)


class Slot:
    """What a value may be. A map that may as well be no model stands for none.

    Args:
        annotations: Those of the value, or of several fields of which it may be one.
        stored: It has the names of the database, and counts as it is. Else fields have the names under which they may be
            given, and what code of the application reads before the model does is left to that code.
    """

    def __init__(self, annotations: Iterable[Any], *, stored: bool = False) -> None:
        kinds = [pair for each in annotations for pair in alternatives_with(each)]
        if any(is_untyped(kind) or (not stored and _has_reader(metadata)) for kind, metadata in kinds):
            kinds = []
        self._kinds = [kind for kind, _ in kinds]
        self._stored = stored

    def maps(self, value: Any, at: Path = (), *, positions: bool = False) -> Iterator[Standing]:
        """Find each map that stands for a model, the value itself first.

        Args:
            positions: Tell positions in lists and keys of maps, too, and not the names of fields only.
        """
        is_map = isinstance(value, dict)
        if is_map and self._models:
            yield at, value, self._models
            for name, slot in slots_of(self._models, stored=self._stored).items():
                if isinstance(part := value.get(name), NESTING):
                    yield from slot.maps(part, (*at, name), positions=positions)
        elif inside := self._values if is_map else self._elements:
            for place, part in value.items() if is_map else enumerate(value):
                if isinstance(part, NESTING):
                    yield from inside.maps(part, (*at, place) if positions else at, positions=positions)

    @cached_property
    def _models(self) -> Models:
        models = tuple(filter(_is_model, self._kinds))
        is_left = any(map(value_of, self._kinds)) or (not self._stored and None in map(given_names, models))
        return () if is_left else models

    @cached_property
    def _values(self) -> Slot | None:
        return None if any(map(_is_model, self._kinds)) else self._of(map(value_of, self._kinds))

    @cached_property
    def _elements(self) -> Slot | None:
        return self._of(map(element_of, self._kinds))

    def _of(self, annotations: Iterable[Any]) -> Slot | None:
        inside = [each for each in annotations if each is not None]
        return Slot(inside, stored=self._stored) if any(map(models_in, inside)) else None


@lru_cache(maxsize=1024)
def slot_of(model: type[BaseModel], *, stored: bool = False) -> Slot:
    """Give what the value of a model may be."""
    return Slot((model,), stored=stored)


@lru_cache(maxsize=1024)
def slots_of(models: Models, *, stored: bool = False) -> Mapping[str, Slot]:
    """Give those fields of some models in which a map may stand for a model, by the names that they have there."""
    found: dict[str, list[Any]] = {}
    for model in models:
        fields = fields_of(model)
        names = {info.alias or name: name for name, info in fields.items()} if stored else given_names(model) or {}
        for key, name in names.items():
            is_left = not stored and _is_left_to_code(model, name)
            found.setdefault(key, []).append(Any if is_left else fields[name].annotation)
    return {key: Slot(each, stored=stored) for key, each in found.items() if any(map(models_in, each))}


@lru_cache(maxsize=1024)
def given_names(model: type[BaseModel]) -> Mapping[str, str] | None:
    """Give for each name under which a field may be given its name in Python; None if nobody knows these names, since code
    of the application reads what is given, or anything is kept."""
    validators = model.__pydantic_decorators__.model_validators.values()
    if model.model_config.get("extra") == "allow" or any(map(_reads, validators)):
        return None
    aliases = {name: info.validation_alias or name for name, info in fields_of(model).items()}
    if any(not isinstance(alias, str) for alias in aliases.values()):
        return None
    return {key: name for name, alias in aliases.items() for key in (name, str(alias))}


def _is_left_to_code(model: type[BaseModel], name: str) -> bool:
    validators = model.__pydantic_decorators__.field_validators.values()
    own = [each for each in validators if {name, "*"} & {*each.info.fields}]
    return any(map(_reads, own)) or _has_reader(fields_of(model)[name].metadata)


def _reads(validator: Any) -> bool:
    """Tell whether it is called with what was given, and not with what the model has made of that."""
    return bool(validator.info.mode != "after")


def _has_reader(metadata: Iterable[Any]) -> bool:
    return any(isinstance(each, _READERS) for each in metadata)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
