"""Typed ids, and the time that is in them."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final, Generic, TypeVar

from bson import ObjectId
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from synovia.schema.specs import Reading

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


# --- ids with a time --------------------------------------------------------------------------------------------------
# Four bytes for the seconds since 1970, as in every ObjectId; then 10 bits for the milliseconds, 14 that count within one,
# and 40 random ones. Ids are ordered by all but the last, their *reading* of a clock.

_COUNTER_BITS: Final = 14
_RANDOM_BYTES: Final = 5
_SECOND: Final = 1000


def reading_at(milliseconds: int) -> Reading:
    """Give the first reading of a millisecond."""
    return milliseconds << _COUNTER_BITS


def make_id(reading: Reading) -> ObjectId:
    """Make an id of a reading. Two hubs with one reading make different ids: the rest is random."""
    milliseconds, counter = divmod(reading, 1 << _COUNTER_BITS)
    seconds, rest = divmod(milliseconds, _SECOND)
    ordered = (seconds << 24 | rest << _COUNTER_BITS | counter).to_bytes(7)
    return ObjectId(ordered + secrets.token_bytes(_RANDOM_BYTES))


def time_of_id(id_: str) -> int | None:
    """Tell the milliseconds since 1970 at which an id was made; None if it tells no time.

    Of an ObjectId that another program made, only the second is right.
    """
    if not _OBJECT_ID.match(id_):
        return None
    seconds, rest = int(id_[:8], 16), int(id_[8:14], 16) >> _COUNTER_BITS
    return seconds * _SECOND + min(rest, _SECOND - 1)
