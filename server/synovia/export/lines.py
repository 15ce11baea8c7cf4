"""A document as a line of JSON: MongoDB's Extended JSON (v2), as short as it may be without losing a type.

Numbers are bare: one without a point or an exponent is an integer of 32 bits, or of 64 if it has to; one with either is a
float. A small integer of 64 bits, floats that are no numbers, times, bytes, decimals and ids are the maps of that format
(``{"$numberLong": "5"}``). A document that cannot be told so, because a map has a key that begins with ``$``, is
``{"$bson": BASE64}`` as a whole.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import bson
from bson import Int64, json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError

from synovia.export.strict_json import TOO_DEEP, BadJson, StrictDecoder, nests_too_deep
from synovia.schema import Document

WHOLE: Final = "$bson"
"""The only key of a line that is a document in BSON."""

_CODEC: Final[CodecOptions[Document]] = CodecOptions(
    tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_EXTENDED: Final = json_util.CANONICAL_JSON_OPTIONS.with_options(
    tz_aware=True, tzinfo=UTC, datetime_representation=json_util.DatetimeRepresentation.NUMBERLONG
)
_READING: Final = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL,
    tz_aware=True,
    tzinfo=UTC,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
_INT32: Final = 1 << 31
_DOUBLE: Final = struct.Struct("<d")
_NAN: Final = _DOUBLE.pack(math.nan)
_BARE: Final = frozenset({str, int, bool, type(None)})
_MARKS: Final = frozenset({
    "$oid", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$date", "$binary", "$timestamp",
    "$regularExpression", "$symbol", "$code", "$minKey", "$maxKey", "$undefined",
})  # fmt: skip


class BadLine(ValueError):
    """The text says what is wrong with a line."""


class _Untellable(Exception):
    """A value that Extended JSON has no form for."""


# --- writing ----------------------------------------------------------------------------------------------------------


def line_of(document: Document) -> bytes:
    """Write a document as a line, with its end."""
    if next(iter(document), "_id") != "_id":
        document = {"_id": document["_id"], **document}
    try:
        plain: Any = _map(document)
    except (_Untellable, TypeError):
        plain = {WHOLE: base64.b64encode(bson.encode(document)).decode()}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="strict") + b"\n"


def _plain(value: Any) -> Any:
    kind = type(value)
    return value if kind in _BARE else _FORMS.get(kind, _other)(value)


def _map(value: dict[str, Any]) -> dict[str, Any]:
    for key in value:
        if key[:1] == "$":
            raise _Untellable
    return {key: _plain(item) for key, item in value.items()}


def _list(value: list[Any]) -> list[Any]:
    return [_plain(item) for item in value]


def _float(value: float) -> Any:
    if math.isfinite(value):
        return value
    if math.isnan(value) and _DOUBLE.pack(value) != _NAN:
        raise _Untellable  # a NaN with bits of its own
    return {"$numberDouble": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def _int64(value: Int64) -> Any:
    return {"$numberLong": str(int(value))} if -_INT32 <= value < _INT32 else int(value)


def _bytes(value: bytes) -> Any:
    return {"$binary": {"base64": base64.b64encode(value).decode(), "subType": "00"}}


def _time(value: datetime) -> Any:
    return {"$date": {"$numberLong": str(int(DatetimeMS(value)))}}


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        raise _Untellable
    told = json_util.default(value, _EXTENDED)
    if not isinstance(told, dict) or next(iter(told)) not in _MARKS or "$scope" in told:
        raise _Untellable
    return told


_FORMS: Final[dict[type, Callable[[Any], Any]]] = {
    dict: _map, list: _list, float: _float, Int64: _int64, bytes: _bytes, datetime: _time,
}  # fmt: skip


# --- reading ----------------------------------------------------------------------------------------------------------


def document_of(line: bytes) -> Document:
    """Read a line.

    Raises:
        BadLine: It is none.
    """
    try:
        value = _DECODER.decode(line)
    except BadJson as error:
        raise BadLine(str(error)) from None
    is_whole = isinstance(value, _Whole)
    if is_whole:
        value = value.document
    if not isinstance(value, dict) or "_id" not in value:
        raise BadLine("it is no document with an _id")
    if is_whole and nests_too_deep(value):
        raise BadLine(TOO_DEEP)
    if not is_whole and f'"{WHOLE}"'.encode() in line and _holds_whole(value):
        raise BadLine(f"{WHOLE!r} stands within a document")
    return value


class _Whole:
    """A document that stands as BSON in its line; it cannot be a part of another one."""

    def __init__(self, text: Any) -> None:
        try:
            self.document = bson.decode(base64.b64decode(text, validate=True), _CODEC)
        except (BSONError, binascii.Error, TypeError, ValueError) as error:
            raise BadLine(f"what {WHOLE!r} holds is no document: {error}") from None


def _map_read(made: dict[str, Any]) -> Any:
    for key in made:
        if key[:1] == "$":
            return _marked(made)
    return made


def _holds_whole(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, _Whole) or any(map(_holds_whole, items))


def _marked(made: dict[str, Any]) -> Any:
    if [*made] == [WHOLE]:
        return _Whole(made[WHOLE])
    if made.keys() <= {"base64", "subType"} or not made.keys() & _MARKS:
        raise BadLine(f"{sorted(made)[0]!r} is no value of Extended JSON")
    try:
        return json_util.object_hook(made, _READING)
    except Exception as error:  # whatever the library makes of what it was given
        raise BadLine(f"{sorted(made)[0]!r} has no such value: {error}") from None


_DECODER: Final = StrictDecoder(_map_read)
