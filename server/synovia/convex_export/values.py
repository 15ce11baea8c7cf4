"""A line of an export as a document of the database.

In an export ``5`` is an Int64 and ``5.0`` a Float64; bytes and floats that are no numbers are ``{"$bytes": BASE64}`` and
``{"$float": BASE64}``.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from typing import Any, Final

from bson import Int64

from synovia.export.strict_json import BadJson, StrictDecoder, float_of, integer_of
from synovia.schema import Document

_DOUBLE: Final = struct.Struct("<d")
_INTEGER: Final = struct.Struct("<q")


class BadValue(ValueError):
    """The text says what is wrong with a line."""


def document_of(line: bytes, *, floats_only: bool = False) -> Document:
    """Read a line.

    Args:
        floats_only: Every number is a Float64, as in exports of older times.

    Raises:
        BadValue: It is no JSON, no map, or holds what is no value of Convex.
    """
    try:
        value = (_FLOATS if floats_only else _DECODER).decode(line)
    except BadJson as error:
        raise BadValue(str(error)) from None
    if not isinstance(value, dict):
        raise BadValue("it is no map")
    return value


def _map(made: dict[str, Any]) -> Any:
    for key in made:
        if key[:1] == "$":
            return _tagged(made)
        if not key or "\0" in key:
            raise BadValue(f"{key!r} cannot be the name of a field")
    return made


def _tagged(made: dict[str, Any]) -> Any:
    (tag, text), *others = made.items()
    if others or tag not in _TAGS or not isinstance(text, str):
        raise BadValue(f"{sorted(made)[0]!r} is no value of Convex that can be imported")
    try:
        return _TAGS[tag](base64.b64decode(text, validate=True))
    except (binascii.Error, struct.error):
        raise BadValue(f"{text!r:.40} is not what {tag!r} stands for") from None


def _integer(data: bytes) -> Int64:
    return Int64(_INTEGER.unpack(data)[0])


def _float(data: bytes) -> float:
    return float(_DOUBLE.unpack(data)[0])


_TAGS: Final[dict[str, Callable[[bytes], Any]]] = {"$bytes": bytes, "$float": _float, "$integer": _integer}
_DECODER: Final = StrictDecoder(_map, lambda text: Int64(integer_of(text)))
_FLOATS: Final = StrictDecoder(_map, float_of)
