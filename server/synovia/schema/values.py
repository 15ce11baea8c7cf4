"""Values of the Python side as the database holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from synovia.schema.ids import Id, id_to_bson
from synovia_protocol.messages import ArrayRef


def to_bson(value: Any) -> Any:
    """Turn a value of the Python side (ids, array references, models) into what the database holds."""
    if isinstance(value, Id):
        return id_to_bson(value)
    if isinstance(value, ArrayRef):
        return {"digest": value.digest, "dtype": value.dtype, "shape": list(value.shape)}
    if isinstance(value, BaseModel):
        return to_bson(value.model_dump(by_alias=True, exclude_none=True))
    if isinstance(value, Mapping):
        return {key: to_bson(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_bson(item) for item in value]
    return value


@cache
def _holds_id(table: type[BaseModel], path: str) -> bool:
    """Tell whether a field (dots reach into embedded models) holds ids, directly or in a list."""
    first, _, rest = path.partition(".")
    if first in ("id", "_id") and not rest:
        return True
    info = table.model_fields.get(first)
    types = [] if info is None else list(_leaf_types(info.annotation))
    if rest:
        return any(isinstance(t, type) and issubclass(t, BaseModel) and _holds_id(t, rest) for t in types)
    return any(isinstance(t, type) and issubclass(t, Id) for t in types)


def _leaf_types(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is None or origin is Id:
        yield origin or annotation
        return
    for argument in get_args(annotation):
        yield from _leaf_types(argument)


def bson_of_field(table: type[BaseModel], field: str, value: Any) -> Any:
    """Turn a value that a field is compared with into the database's; a plain string will do where the field holds ids."""
    if isinstance(value, str) and _holds_id(table, field):
        return id_to_bson(value)
    return to_bson(value)
