"""The fields of indexes, as the database names them, and what counts where a document lacks one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bson import ObjectId
from pydantic.alias_generators import to_camel

from synovia.keys import encode_value
from synovia.schema.encrypted import TOKEN, marker_of
from synovia.schema.fields import levels_of
from synovia.schema.specs import CREATION_TIME

_CREATION_TIME = "creation_time"


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


def exists(table: Any, field: str) -> bool:
    """Tell whether a table that is just being declared has a field, or the first part of the way to one."""
    return field == _CREATION_TIME or field.split(".")[0] in table.model_fields
