"""Typed ids."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from bson import ObjectId
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")

_OBJECT_ID = re.compile(r"[0-9a-f]{24}\Z")
_MAX_ID_LENGTH = 256


class Id(str, Generic[T]):
    """The id of a document of table ``T``: 24 hexadecimal digits for an ObjectId, else the string that ``_id`` is."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(unchanged)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": _MAX_ID_LENGTH}

    @classmethod
    def _validate(cls, value: Any) -> Id[Any]:
        if isinstance(value, ObjectId):
            return cls(str(value))
        if not isinstance(value, str):
            raise ValueError("an id is a string")
        if not 0 < len(value) <= _MAX_ID_LENGTH:
            raise ValueError(f"an id has 1 to {_MAX_ID_LENGTH} characters")
        return value if type(value) is cls else cls(value)


def unchanged(value: Any) -> Any:
    """Give a value as it is: the serializer of what travels as itself."""
    return value


def id_to_bson(id_: str) -> ObjectId | str:
    """Turn an id into what ``_id`` holds in the database."""
    return ObjectId(id_) if _OBJECT_ID.match(id_) else str(id_)
