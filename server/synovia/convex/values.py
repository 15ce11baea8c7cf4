"""Values as Convex clients have them, in JSON, and as functions have them.

==================  ==========================================================  =======================
a wire value        ``convex_encoded_json``                                     ``json``
==================  ==========================================================  =======================
None, bool, str     the same                                                    the same
int                 a number with a point; ``{"$integer": base64}`` for an      the same; decimal text
                    int64, and beyond 2**53
float               a number with a point; ``{"$float": base64}`` for NaN, the  a number; ``"NaN"`` ...
                    infinities and -0.0
bytes               ``{"$bytes": base64}``                                      base64
datetime            a number, milliseconds since 1970                           the same
``ArrayRef``        a map with ``digest``, ``dtype`` and ``shape``              the same
list, map           the same                                                    the same
==================  ==========================================================  =======================
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

from synovia.convex.shapes import Shape
from synovia.functions.pages import END_CURSOR
from synovia.schema import time_of_id
from synovia.schema.convex_types import ConvexInt64
from synovia_protocol.messages import ArrayRef

EXACT = 2**53
"""From here on, either way, a number is not every integer."""
MOST_NAME = 1024
MOST_DEPTH = 64
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_MOST_MS = 8.64e15


class Unrepresentable(ValueError):
    """A value that no Convex client can hold."""


class BadValue(ValueError):
    """A client has sent what is no value."""


class Encoded:
    """``convex_encoded_json``: what official clients read, without loss."""

    @staticmethod
    def int64(value: int) -> Any:
        try:
            return {"$integer": _base64(struct.pack("<q", value))}
        except struct.error:
            raise Unrepresentable(f"{value} is beyond 64 bits") from None

    @staticmethod
    def special(value: float) -> Any:
        return {"$float": _base64(struct.pack("<d", value))}

    @staticmethod
    def bytes(value: bytes) -> Any:
        return {"$bytes": _base64(value)}


class Clean(Encoded):
    """``json``: for programs that know what to expect."""

    @staticmethod
    def int64(value: int) -> Any:
        return str(value)

    @staticmethod
    def special(value: float) -> Any:
        if value == 0:
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"

    @staticmethod
    def bytes(value: bytes) -> Any:
        return _base64(value)


class Export(Encoded):
    """``export_json``: as the files of ``convex export`` have it."""

    @staticmethod
    def int64(value: int) -> Any:
        return value


FORMATS: Mapping[str, type[Encoded]] = {
    "convex_encoded_json": Encoded,
    "convex_json": Encoded,
    "json": Clean,
    "convex_clean_json": Clean,
    "export_json": Export,
}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def write(tree: Any) -> str:
    """Write JSON of what ``encode`` gave; numbers have a point or an exponent if they are floats."""
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# --- to clients -------------------------------------------------------------------------------------------------------


def encode(value: Any, shape: Shape | None = None, form: type[Encoded] = Encoded) -> Any:
    """Turn a wire value into what ``write`` writes.

    Args:
        shape: What its annotation says.

    Raises:
        Unrepresentable: A Convex client cannot hold it.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int or kind is ConvexInt64:
        return _encode_int(value, shape, form)
    if kind is float:
        plain = math.isfinite(value) and (value != 0 or math.copysign(1, value) > 0)
        return value if plain else form.special(value)
    if isinstance(value, Mapping):
        return _encode_map(value, shape, form)
    if isinstance(value, list | tuple):
        return _encode_list(value, shape, form)
    return _encode_other(value, form)


def _encode_int(value: int, shape: Shape | None, form: type[Encoded]) -> Any:
    is_int64 = type(value) is ConvexInt64 or (shape is not None and (shape.int64 or shape.raw))
    return form.int64(value) if is_int64 or not -EXACT < value < EXACT else float(value)


def _encode_list(value: Any, shape: Shape | None, form: type[Encoded]) -> list[Any]:
    each = None if shape is None else shape if shape.raw else shape.each
    return [encode(item, each, form) for item in value]


def _encode_other(value: Any, form: type[Encoded]) -> Any:
    if isinstance(value, bytes):
        return form.bytes(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return (value - _EPOCH) / _MILLISECOND
    if isinstance(value, ArrayRef):
        shape = [float(length) for length in value.shape]
        return {"digest": value.digest.hex(), "dtype": value.dtype, "shape": shape}
    if isinstance(value, str | int | float):  # a subclass: an id, a member of an enumeration
        plain = next(kind for kind in (bool, int, float, str) if isinstance(value, kind))
        return encode(plain(value), None, form)
    raise Unrepresentable(f"a {type(value).__name__} is no value of Convex")


def _encode_map(value: Mapping[str, Any], shape: Shape | None, form: type[Encoded]) -> dict[str, Any]:
    if shape is not None and shape.choices:
        shape = shape.chosen(dict(value))
    encoded = {}
    for name, item in value.items():
        _check_name(name)
        try:
            encoded[name] = encode(item, None if shape is None else _inside(shape, name), form)
        except Unrepresentable as error:
            raise Unrepresentable(f"{name}: {error}") from None
    return encoded if shape is None else _completed(encoded, shape)


def _inside(shape: Shape, name: str) -> Shape | None:
    return shape if shape.raw else shape.fields.get(name, shape.each)


def _completed(encoded: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Add what Convex clients find in a row, a page, or a field that may be null."""
    for name in shape.nulls:
        encoded.setdefault(name, None)
    if shape.row and "_creationTime" not in encoded and isinstance(id_ := encoded.get("_id"), str):
        encoded["_creationTime"] = float(time_of_id(id_) or 0)
    return _page(encoded) if shape.page else encoded


def _page(encoded: dict[str, Any]) -> dict[str, Any]:
    cursor = encoded.get("nextCursor")
    return {
        "page": encoded.get("items", []),
        "isDone": cursor is None,
        "continueCursor": END_CURSOR if cursor is None else cursor,
        "splitCursor": encoded.get("splitCursor"),
        "pageStatus": encoded.get("pageStatus"),
    }


def _check_name(name: object) -> None:
    if not isinstance(name, str) or len(name) > MOST_NAME or name.startswith("$") or not _is_plain(name):
        shown = name if not isinstance(name, str) or len(name) < 100 else name[:100] + "..."
        raise Unrepresentable(f"{shown!r} is no field name of Convex: printable ASCII, at most {MOST_NAME} characters")


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable()


# --- from clients -----------------------------------------------------------------------------------------------------


def decode(tree: Any, shape: Shape | None = None, depth: int = 0) -> Any:
    """Turn JSON that a client has sent into a wire value.

    Args:
        shape: What the annotation of the argument says. Without, a float without a fraction becomes an int, as JavaScript
            has no other numbers; a function that takes a float gets one.
        depth: In how many lists and maps it stands.

    Raises:
        BadValue: It is no value of Convex.
    """
    if isinstance(tree, str):
        return _text(tree)
    if tree is None or isinstance(tree, bool):
        return tree
    if isinstance(tree, int | float):
        return _decode_number(_float(tree), shape)
    if isinstance(tree, list):
        _check_depth(depth)
        each = None if shape is None else shape if shape.raw else shape.each
        return [decode(item, each, depth + 1) for item in tree]
    return _decode_map(tree, shape, depth)


def _check_depth(depth: int) -> None:
    """Refuse a list or map inside as many as may be around: in a result the same value could not travel."""
    if depth >= MOST_DEPTH:
        raise BadValue(f"lists and maps nest more than {MOST_DEPTH} deep")


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadValue("a text has half of a surrogate pair") from None
    return text


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise BadValue("a number is beyond 64 bits") from None


def _decode_number(number: float, shape: Shape | None) -> Any:
    if shape is not None and shape.raw:
        return number
    if shape is not None and shape.datetime:
        if not -_MOST_MS <= number <= _MOST_MS:
            raise BadValue(f"{number} is no time")
        try:
            return _EPOCH + number * _MILLISECOND
        except OverflowError:
            raise BadValue(f"{number} is no time") from None
    whole = -EXACT < number < EXACT and number.is_integer() and (number != 0 or math.copysign(1, number) > 0)
    return int(number) if whole else number


def _decode_map(tree: dict[str, Any], shape: Shape | None, depth: int) -> Any:
    if len(tree) == 1:
        ((tag, content),) = tree.items()
        if tag.startswith("$"):
            return _decode_tagged(tag, content, shape)
    _check_depth(depth)
    if shape is not None and shape.choices:
        shape = shape.chosen(tree)
    decoded = {}
    for name, item in tree.items():
        try:
            _check_name(name)
        except Unrepresentable as error:
            raise BadValue(str(error)) from None
        decoded[name] = decode(item, None if shape is None else _inside(shape, name), depth + 1)
    return decoded


def _decode_tagged(tag: str, content: Any, shape: Shape | None) -> Any:
    if tag == "$bytes":
        return _unbase64(tag, content)
    if tag == "$integer":
        (integer,) = struct.unpack("<q", _unbase64(tag, content, 8))
        return ConvexInt64(integer) if shape is not None and shape.raw else integer
    if tag == "$float":
        (number,) = struct.unpack("<d", _unbase64(tag, content, 8))
        if math.isfinite(number) and (number != 0 or math.copysign(1, number) > 0):
            raise BadValue("$float is for NaN, the infinities and -0.0")
        return number
    raise BadValue(f"{tag} is no type of Convex")


def _unbase64(tag: str, content: Any, length: int | None = None) -> bytes:
    if not isinstance(content, str):
        raise BadValue(f"{tag} has a text")
    try:
        data = base64.b64decode(content.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        raise BadValue(f"{tag} has a text in base64") from None
    if length is not None and len(data) != length:
        raise BadValue(f"{tag} has {length} bytes")
    return data
