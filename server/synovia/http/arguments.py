"""Arrays among the arguments of a call over HTTP: lists of numbers, where the function says that an array belongs."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from synovia.errors import InvalidArguments
from synovia.functions.function import Function
from synovia.schema import ArrayField
from synovia_protocol.arrays import ref_of
from synovia_protocol.references import array_references

Samples = npt.NDArray[np.float64]


def with_arrays(function: Function, args: Mapping[str, Any]) -> tuple[dict[str, Any], list[Samples]]:
    """Put references where lists of numbers stand for arrays; give the arrays that are to be stored too.

    A reference itself is refused: on a socket it counts for what that connection has brought or been shown, and a single
    request has neither.

    Raises:
        InvalidArguments: A list holds something else than numbers, or a reference was sent.
    """
    if next(array_references(args), None) is not None:
        raise InvalidArguments(f"{function.path}: over HTTP, send an array as a list of numbers, not by reference")
    found: list[Samples] = []
    return _in_model(function.arguments, args, found), found


def _in_model(model: type[BaseModel], value: Mapping[str, Any], found: list[Samples]) -> dict[str, Any]:
    placed = dict(value)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if isinstance(placed.get(key), list | dict):
            placed[key] = _placed(field.rebuild_annotation(), placed[key], found)
    return placed


def _placed(annotation: Any, value: Any, found: list[Samples]) -> Any:
    """Follow an annotation down a value as far as both agree; pydantic tells later where they do not."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _array(value, found) if _is_array(inner[1:]) else _placed(inner[0], value, found)
    if origin in (Union, types.UnionType):
        for member in inner:
            value = _placed(member, value, found)
        return value
    if isinstance(value, list):
        return _in_list(origin, inner, value, found)
    if isinstance(value, dict) and origin in (dict, Mapping):
        return {key: _placed(inner[1], item, found) for key, item in value.items()}
    if isinstance(value, dict) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _in_model(annotation, value, found)
    return value


def _in_list(origin: Any, inner: tuple[Any, ...], value: list[Any], found: list[Samples]) -> Any:
    if origin is tuple and Ellipsis not in inner:
        return [_placed(each, item, found) for each, item in zip(inner, value, strict=False)] + value[len(inner) :]
    if origin is not None and inner and issubclass(origin, list | tuple):
        return [_placed(inner[0], item, found) for item in value]
    return value


def _is_array(metadata: tuple[Any, ...]) -> bool:
    return any(isinstance(each, ArrayField) for each in metadata)


def _array(value: Any, found: list[Samples]) -> Any:
    if not isinstance(value, list):
        return value
    if not all(type(number) in (int, float) for number in _leaves(value)):
        raise InvalidArguments("an array is a list of numbers")
    try:
        samples = np.array(value, dtype=np.float64)
    except ValueError:
        raise InvalidArguments("the lists of an array have one length on each level") from None
    found.append(samples)
    return ref_of(samples)


def _leaves(value: list[Any]) -> Iterator[Any]:
    for item in value:
        if isinstance(item, list):
            yield from _leaves(item)
        else:
            yield item
