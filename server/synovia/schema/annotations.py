"""Annotations taken apart: what a field may hold, and what is inside."""

from __future__ import annotations

import collections.abc
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo

_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.MutableSequence)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def fields_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Give the fields of a model by their Python names, and resolve what their annotations name if that is there by now.

    A model may name one that is declared below it; pydantic resolves that when a value is first validated.
    """
    if not model.__pydantic_complete__:
        model.model_rebuild(raise_errors=False, _parent_namespace_depth=0)  # not what the names here mean
    return model.model_fields


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """List the models that an annotation names, and those in their fields; itself first if it is one."""
    found: dict[type[BaseModel], None] = {}
    waiting, opened = [annotation], set[int]()
    while waiting:
        annotation = waiting.pop()
        if hasattr(annotation, "__value__"):
            if id(annotation) in opened:
                continue
            opened.add(id(annotation))
        for kind in alternatives(annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                if kind not in found:
                    found[kind] = None
                    waiting += [info.annotation for info in fields_of(kind).values()]
            else:
                waiting += [inside for inside in (element_of(kind), value_of(kind)) if inside is not None]
    return [*found]


def type_that_holds_itself(annotation: Any, within: tuple[Any, ...] = ()) -> str | None:
    """Give the name of a type in an annotation that is part of itself: ``type Tree = int | list[Tree]``, since Python 3.12.

    Whoever follows what annotations name comes to no end there.
    """
    if hasattr(annotation, "__value__"):
        named = get_origin(annotation) or annotation
        if any(named is each for each in within):
            return str(named.__name__)
        return type_that_holds_itself(annotation.__value__, (*within, named))
    found = (type_that_holds_itself(each, within) for each in get_args(annotation))
    return next((name for name in found if name is not None), None)


def alternatives(annotation: Any) -> Iterator[Any]:
    """Give what a value may be, one after the other: without Annotated, unions taken apart, names of types opened."""
    return (kind for kind, _ in alternatives_with(annotation))


def alternatives_with(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Give what a value may be, each with what Annotated says of it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inside, *said = get_args(annotation)
        yield from alternatives_with(inside, (*metadata, *said))
    elif origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from alternatives_with(each, metadata)
    elif isinstance(annotation, NewType):
        yield from alternatives_with(annotation.__supertype__, metadata)
    elif isinstance(annotation, TypeVar):
        yield from alternatives_with(annotation.__bound__ or Any, metadata)
    elif hasattr(annotation, "__value__"):  # type Name = ...
        yield from alternatives_with(annotation.__value__, metadata)
    else:
        yield annotation, metadata


def allows_none(annotation: Any) -> bool:
    """Tell whether a value may be None because that is among the alternatives."""
    return any(kind is None or kind is type(None) for kind in alternatives(annotation))


def is_untyped(kind: Any) -> bool:
    """Tell whether an alternative is any value at all."""
    return kind is Any or kind is object


def strict_adapter(annotation: Any) -> TypeAdapter[Any]:
    """Give the validator of an annotation that takes no text for a number; models may come as maps, as everywhere."""
    kinds = list(alternatives(annotation))
    is_model = len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], BaseModel)
    config = None if is_model else ConfigDict(strict=True, hide_input_in_errors=True)
    return TypeAdapter(annotation, config=config)


def element_of(kind: Any) -> Any:
    """Give the annotation of a list's elements; None if the alternative is no list."""
    return _argument_of(kind, _LISTS, 0)


def value_of(kind: Any) -> Any:
    """Give the annotation of a map's values; None if the alternative is no map."""
    return _argument_of(kind, _MAPS, 1)


def _argument_of(kind: Any, origins: tuple[Any, ...], place: int) -> Any:
    if kind in origins:
        return Any
    if get_origin(kind) not in origins:
        return None
    arguments = [argument for argument in get_args(kind) if argument is not Ellipsis]
    if place == 0 and len(arguments) > 1:
        return Union[tuple(arguments)]  # noqa: UP007 (of as many as there are)
    return arguments[place] if place < len(arguments) else Any
