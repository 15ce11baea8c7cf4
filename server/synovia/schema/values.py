"""Values of the Python side as the database holds them, and what it may hold besides as values that can travel.

What is written can be read: a value that is none of those that travel is refused. What another program has written where a
field takes anything is read as text, if it is no such value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

import numpy as np
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from pydantic import BaseModel

from synovia.schema.files import File
from synovia.schema.ids import Id, id_to_bson
from synovia.schema.untyped import Untyped
from synovia_protocol.messages import ArrayRef

MOST_DEPTH: Final = 48
"""Lists and maps inside each other in one document; results may nest documents and hold 64 in all."""
_INT64: Final = 1 << 63


class Unstorable(ValueError):
    """A value that cannot be stored.

    Attributes:
        place: Where it stands, as ``data.by``; empty: it is all there is.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


# --- writing ----------------------------------------------------------------------------------------------------------


def to_bson(value: Any, untyped: Untyped | None = None) -> Any:
    """Turn a value of the Python side (ids, array references, models) into what the database holds.

    Args:
        untyped: Where the value has no type: an id that stands there is stored as text.

    Raises:
        Unstorable: It holds something that could not be read again.
    """
    return _stored(value, untyped, (), whole=untyped is not None and untyped.whole)


def _stored(value: Any, untyped: Untyped | None, place: tuple[str, ...], *, whole: bool) -> Any:
    kind = type(value)
    if kind is str or kind is float or kind is bool or kind is bytes or value is None:
        return value
    if kind is int:
        return _stored_int(value, place)
    if kind is dict:
        return _stored_map(value, untyped, place, whole=whole)
    if isinstance(value, str):
        return _stored_text(value, whole=whole)
    if isinstance(value, ArrayRef):
        return {"digest": value.digest, "dtype": value.dtype, "shape": list(value.shape)}
    if isinstance(value, File):
        return value.to_bson()
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True, exclude_none=True)
    if isinstance(value, Mapping):
        return _stored_map(value, untyped, place, whole=whole)
    if isinstance(value, list | tuple):
        return _stored_list(value, untyped, place, whole=whole)
    return _stored_scalar(value, place)


def _stored_list(value: Sequence[Any], untyped: Untyped | None, place: tuple[str, ...], *, whole: bool) -> Any:
    part, all_of_it = _part(untyped, whole=whole)
    items = enumerate(_shallow(value, place))
    return [_stored(item, part, (*place, str(number)), whole=all_of_it) for number, item in items]


def _part(untyped: Untyped | None, *, whole: bool) -> tuple[Untyped | None, bool]:
    part = None if untyped is None else untyped.each
    return part, whole or (part is not None and part.whole)


def _shallow(value: Any, place: tuple[str, ...]) -> Any:
    if len(place) >= MOST_DEPTH:
        raise Unstorable(".".join(place[:3]), f"lists and maps nest at most {MOST_DEPTH} deep")
    return value


def _stored_map(value: Mapping[Any, Any], untyped: Untyped | None, place: tuple[str, ...], *, whole: bool) -> Any:
    each = _part(untyped, whole=whole)
    fields = {} if untyped is None else untyped.fields
    stored = {}
    for key, item in _shallow(value, place).items():
        if not isinstance(key, str) or "\\0" in key:
            raise Unstorable(".".join(place), f"{key!r} is no key of a map; keys are texts without zero bytes")
        part, all_of_it = each
        if (own := fields.get(key)) is not None:
            part, all_of_it = own, whole or own.whole
        stored[str(key)] = _stored(item, part, (*place, key), whole=all_of_it)
    return stored


def _stored_text(value: str, *, whole: bool) -> Any:
    if isinstance(value, Id):
        return str(value) if whole else id_to_bson(value)
    return value.value if isinstance(value, Enum) else str(value)


def _stored_int(value: int, place: tuple[str, ...]) -> int:
    if not -_INT64 <= value < _INT64:
        raise Unstorable(".".join(place), f"{value} is beyond 64 bits")
    return value


def _stored_scalar(value: Any, place: tuple[str, ...]) -> Any:
    if isinstance(value, Enum):
        return _stored(value.value, None, place, whole=False)
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return _stored(value.item(), None, place, whole=False)
    if isinstance(value, int):
        return _stored_int(int(value), place)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Unstorable(".".join(place), "a datetime needs a time zone, as datetime.now(UTC) has one")
        return value
    if isinstance(value, bytes | bytearray | memoryview) and not isinstance(value, Binary):
        return bytes(value)
    raise Unstorable(".".join(place), _refusal(value))


def _refusal(value: Any) -> str:
    if isinstance(value, ObjectId):
        return "an ObjectId cannot be read again from here; write str(id), or give the field the type Id"
    kinds = "None, bool, int, float, str, bytes, datetime, lists, maps, models and array references"
    return f"a {type(value).__name__} cannot be stored: documents hold {kinds}"


# --- reading ----------------------------------------------------------------------------------------------------------

_REGEX_FLAGS: Final = {"i": re.I, "l": re.L, "m": re.M, "s": re.S, "u": re.U, "x": re.X}
_TEXTS: Final[dict[type, Callable[[Any], Any]]] = {
    ObjectId: str,
    Decimal128: str,
    Regex: lambda value: f"/{_decoded(value.pattern)}/{_flags(value.flags)}",
    Timestamp: lambda value: f"Timestamp({value.time}, {value.inc})",
    Code: lambda value: str(value),
    MinKey: lambda value: "MinKey",
    MaxKey: lambda value: "MaxKey",
    DatetimeMS: lambda value: f"{int(value)} ms",
}


def readable(value: Any, untyped: Untyped | None = None, *, whole: bool = True, depth: int = 0) -> Any:
    """Turn what the database holds where a field takes anything into values that can travel.

    Args:
        untyped: Where within the value anything may stand, if not ``whole``.

    Raises:
        ValueError: It nests too deep.
    """
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, dict | list):
        return _readable_parts(value, untyped, whole=whole, depth=depth + 1)
    if not whole:
        return value
    if (text := _TEXTS.get(type(value))) is not None:
        return text(value)
    if isinstance(value, Binary):
        return bytes(value)
    return int(value) if isinstance(value, Int64) else value


def _readable_parts(value: Any, untyped: Untyped | None, *, whole: bool, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueError(f"lists and maps nest more than {MOST_DEPTH} deep")
    part, all_of_it = _part(untyped, whole=whole)
    if isinstance(value, list):
        return [readable(item, part, whole=all_of_it, depth=depth) for item in value]
    fields = {} if untyped is None else untyped.fields
    read = {}
    for key, item in value.items():
        own = fields.get(key)
        if own is None:
            read[key] = readable(item, part, whole=all_of_it, depth=depth)
        else:
            read[key] = readable(item, own, whole=whole or own.whole, depth=depth)
    return read


def _decoded(pattern: Any) -> str:
    return pattern.decode(errors="replace") if isinstance(pattern, bytes) else str(pattern)


def _flags(flags: int) -> str:
    return "".join(letter for letter, flag in _REGEX_FLAGS.items() if flags & flag)
