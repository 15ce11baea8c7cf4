"""A line of an export as a document of the database.

In an export ``5`` is an Int64 and ``5.0`` a Float64; bytes and floats that are no numbers are ``{"$bytes": BASE64}`` and
``{"$float": BASE64}``.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from bson import Int64

from synovia.schema import Document

_INT64: Final = 1 << 63
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
    if line.startswith(b"\xef\xbb\xbf"):
        raise BadValue("it begins with a byte order mark, which JSON has not")
    try:
        value = (_FLOATS if floats_only else _DECODER).decode(line.decode())
    except UnicodeDecodeError:
        raise BadValue("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadValue(f"it is no JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise BadValue("it nests too deep") from None
    if not isinstance(value, dict):
        raise BadValue("it is no map")
    return value


def _map(pairs: Sequence[tuple[str, Any]]) -> Any:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadValue("a map has one key twice")
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


def _whole_number(text: str) -> Int64:
    if len(text) > 20 or not -_INT64 <= (value := int(text)) < _INT64:
        raise BadValue(f"{text:.40} is beyond 64 bits")
    return Int64(value)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BadValue(f"{text:.40} is beyond a 64-bit float")
    return value


def _no_number(text: str) -> float:
    raise BadValue(f"it is no JSON: {text}")


_TAGS: Final[dict[str, Callable[[bytes], Any]]] = {"$bytes": bytes, "$float": _float, "$integer": _integer}
_DECODER = json.JSONDecoder(
    object_pairs_hook=_map, parse_int=_whole_number, parse_float=_number, parse_constant=_no_number
)
_FLOATS = json.JSONDecoder(object_pairs_hook=_map, parse_int=_number, parse_float=_number, parse_constant=_no_number)
