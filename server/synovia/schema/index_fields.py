"""The fields of indexes, as the database names them, and what counts where a document lacks one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from bson import ObjectId
from pydantic.alias_generators import to_camel

from synovia.errors import SchemaError
from synovia.keys import IndexSpec, encode_value
from synovia.schema.encrypted import TOKEN, marker_of
from synovia.schema.fields import levels_of
from synovia.schema.specs import CREATION_TIME

_CREATION_TIME = "creation_time"


@lru_cache(maxsize=4_096)
def database_name(python_name: str) -> str:
    """Turn a Python field name (``contacts.user_id``) into the database's (``contacts.userId``)."""
    if python_name == _CREATION_TIME:
        return CREATION_TIME
    return ".".join("_id" if part == "id" else to_camel(part) for part in python_name.split("."))


def index_path(table: Any, field: str) -> str:
    """Name what an index is over in the database: of an encrypted field, its token."""
    info = table.model_fields.get(field)
    name = database_name(field)
    return name if info is None or marker_of(info) is None else f"{name}.{TOKEN}"


def encoded_defaults(table: Any, field: str) -> tuple[bytes | None, ...]:
    """Give, for each name on the way to a field, what an index counts a document with that lacks it, if it is a scalar."""
    levels = levels_of(table, field)
    found = []
    for level in levels:
        value = level.default
        for name in levels[-1].name[len(level.name) + 1 :].split(".") if level is not levels[-1] else ():
            value = value.get(name) if isinstance(value, dict) else None
        scalar = isinstance(value, str | int | float | bytes | datetime | ObjectId)
        found.append(encode_value(value) if scalar else None)
    steps = len(index_path(table, field).split("."))
    return tuple(found) if len(found) == steps else (None,) * steps


def index_over(table: Any, name: str, fields: Sequence[str]) -> IndexSpec:
    """Describe an index over fields, given by their Python names, that is not unique."""
    defaults = tuple(encoded_defaults(table, field) for field in fields)
    some = any(default is not None for each in defaults for default in each)
    return IndexSpec(name, tuple(map(database_name, fields)), False, defaults if some else ())


def check_fields(table: Any, place: str, fields: Iterable[str], encrypted: str) -> None:
    """Refuse fields that a table does not have, and encrypted ones.

    Args:
        place: What names them, for the error.
        encrypted: Why it cannot be over encrypted ones.

    Raises:
        SchemaError: There is one.
    """
    for field in fields:
        if not exists(table, field):
            raise SchemaError(f"{place} names the field {field!r}, which {table.__name__} does not have")
        info = table.model_fields.get(field.split(".")[0])
        if info is not None and marker_of(info) is not None:
            raise SchemaError(f"{place} names {field!r}, which is encrypted: {encrypted}")


def exists(table: Any, field: str) -> bool:
    """Tell whether a table that is just being declared has a field, or the first part of the way to one."""
    return field == _CREATION_TIME or field.split(".")[0] in table.model_fields
