"""What a program gives a model, and is none of its fields; documents are read without this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainValidator, WrapValidator
from pydantic.fields import FieldInfo

from synovia.schema.annotations import alternatives, element_of, fields_of, models_in, value_of
from synovia.schema.faults import Unknown

_NESTING = frozenset({dict, list})
_READERS = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)


def may_be_unknown(model: type[BaseModel], given: Mapping[str, Any]) -> bool:
    """Tell at once whether it makes sense to look."""
    fields = _fields_of(model)
    if fields is None:
        return False
    return not given.keys() <= fields.keys() or any(type(given.get(name)) in _NESTING for name in _nesting(model))


def unknown_fields(model: type[BaseModel], given: Mapping[str, Any]) -> Iterator[Unknown]:
    """Give each; also inside, where a map stands for a model."""
    fields = _fields_of(model)
    if fields is None:
        return
    nesting = _nesting(model)
    for name, value in given.items():
        if name not in fields:
            yield (name,), model.model_fields
        elif name in nesting:
            yield from (((name, *path), known) for path, known in unknown_in(fields[name], value))


def unknown_in(field: FieldInfo, value: Any) -> Iterator[Unknown]:
    """Give each that is in the value of a field."""
    if type(value) in _NESTING and not any(isinstance(each, _READERS) for each in field.metadata):
        yield from _in(field.annotation, value)


def _in(annotation: Any, value: Any) -> Iterator[Unknown]:
    kinds = [kind for kind in alternatives(annotation) if kind not in (None, type(None))]
    if len(kinds) != 1:  # which of them is meant, nobody knows
        return
    if isinstance(value, dict) and isinstance(kinds[0], type) and issubclass(kinds[0], BaseModel):
        yield from unknown_fields(kinds[0], value)
    elif isinstance(value, dict) and (inside := value_of(kinds[0])) is not None:
        yield from _within(inside, value.items())
    elif isinstance(value, list) and (inside := element_of(kinds[0])) is not None:
        yield from _within(inside, enumerate(value))


def _within(annotation: Any, parts: Iterable[tuple[Any, Any]]) -> Iterator[Unknown]:
    for place, part in parts:
        yield from (((place, *path), known) for path, known in _in(annotation, part))


@lru_cache(maxsize=1024)
def _fields_of(model: type[BaseModel]) -> Mapping[str, FieldInfo] | None:
    """Give the fields by the names under which they may be given; None if code of the application reads what is given."""
    code = model.__pydantic_decorators__
    if model.model_config.get("extra") != "ignore" or code.model_validators:
        return None
    fields = fields_of(model)
    aliases = {name: info.validation_alias or name for name, info in fields.items()}
    if any(not isinstance(alias, str) for alias in aliases.values()):
        return None
    return {key: fields[name] for name, alias in aliases.items() for key in (name, str(alias))}


@lru_cache(maxsize=1024)
def _nesting(model: type[BaseModel]) -> frozenset[str]:
    """Give the names of those in which a map may stand for a model, unless code of the application reads it."""
    own = {name for each in model.__pydantic_decorators__.field_validators.values() for name in each.info.fields}
    fields = {key: info for key, info in (_fields_of(model) or {}).items() if "*" not in own}
    read = {
        key for name in own if name in model.model_fields for key in (name, model.model_fields[name].validation_alias)
    }
    is_known = model.__pydantic_complete__
    return frozenset(key for key, info in fields.items() if not is_known or models_in(info.annotation)) - read
