"""Typed ids, and the time that is in them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, Final, Generic, Self, TypeVar, get_args

from bson import ObjectId
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from synovia.schema.specs import Reading

T_co = TypeVar("T_co", covariant=True)

_OBJECT_ID = re.compile(r"[0-9a-f]{24}\Z")
_OBJECT_ID_LENGTH = 24
_NO_ID = re.compile(r"[\s\x00-\x1f\x7f]")
_MAX_ID_LENGTH = 256

FROM_DOCUMENT = "document"
"""The validation context of what the database holds, which is taken as it is."""
FROM_CLIENT = "client"
"""The validation context of arguments: a text that can be no id is refused there."""


class Id(str, Generic[T_co]):
    """The id of a document of table ``T``: 24 hexadecimal digits for an ObjectId, else the string that ``_id`` is.

    It knows its table if it was read from a row, given as an argument of type ``Id[User]``, or written ``Id[User](text)``.
    """

    __slots__ = ("_table",)

    @property
    def table(self) -> type[T_co] | None:
        """The table of whose document this is the id; None if it is not known."""
        return getattr(self, "_table", None)

    def of(self, table: type[Any]) -> Self:
        """Say whose id this is."""
        self._table = table
        return self

    @property
    def __orig_class__(self) -> Any:
        """As what ``typing`` made it: ``Id[User]`` when written so."""
        return Id if self.table is None else Id[self.table]  # type: ignore[name-defined]

    @__orig_class__.setter
    def __orig_class__(self, alias: Any) -> None:
        if (table := named_table(alias)) is not None:
            self._table = table

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(_validator(named_table(source)))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": _MAX_ID_LENGTH}


def named_table(alias: Any) -> Any:
    """Tell the table that an annotation ``Id[User]`` names, once it is a class; None for ``Id[Table]``, which is any."""
    named = next(iter(get_args(alias)), None)
    is_table = isinstance(named, type) and any(hasattr(base, "from_document") for base in named.__mro__[1:])
    return named if is_table else None


def _validator(table: Any) -> Callable[[Any, ValidationInfo], Id[Any]]:
    """Give the validator of the ids of a table; None: of any."""

    def validate(value: Any, info: ValidationInfo) -> Id[Any]:
        if type(value) is str:  # nearly always
            if info.context != FROM_DOCUMENT:  # what a document holds is taken as it is
                _check_text(value, table, info.context)
            id_: Id[Any] = Id(value)
            if table is not None:
                id_._table = table
            return id_
        if isinstance(value, ObjectId):
            id_ = Id(str(value))
        elif not isinstance(value, str):
            raise ValueError("an id is a string")
        else:
            id_ = _checked(value, table, info.context)
        return id_ if table is None or id_.table is not None else id_.of(table)

    return validate


def _checked(value: str, table: Any, context: Any) -> Id[Any]:
    known = value.table if isinstance(value, Id) else None
    if table is not None and known is not None and known.spec.name != table.spec.name:
        raise ValueError(f"this is the id of a document of {known.spec.name!r}, not of {table.spec.name!r}")
    _check_text(value, table, context)
    return value if isinstance(value, Id) and (known is not None or table is None) else Id(value)


def _check_text(value: str, table: Any, context: Any) -> None:
    """Refuse a text that is no id, unless it comes from the database."""
    if context in (None, FROM_CLIENT) and not 0 < len(value) <= _MAX_ID_LENGTH:
        raise ValueError(f"an id has 1 to {_MAX_ID_LENGTH} characters")
    if context == FROM_CLIENT and _NO_ID.search(value) and (table is None or not table.text_ids):
        raise ValueError("this text is no id")


def unchanged(value: Any) -> Any:
    """Give a value as it is: the serializer of what travels as itself."""
    return value


def id_to_bson(id_: str) -> ObjectId | str:
    """Turn an id into what ``_id`` holds in the database."""
    return ObjectId(id_) if len(id_) == _OBJECT_ID_LENGTH and _OBJECT_ID.match(id_) else str(id_)


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
