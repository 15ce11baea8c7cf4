"""One BSON value as bytes whose order is MongoDB's order of values.

Every encoding starts with the tag of its type and none is a prefix of another. Values that MongoDB holds equal (``5``,
``5.0`` and ``Decimal128("5.0")``) have one encoding.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS


class Tag(IntEnum):
    """The first byte of an encoded value: MongoDB's canonical types in their order."""

    MIN_KEY = 0x08
    UNDEFINED = 0x10
    NULL = 0x18
    NUMBER = 0x20
    STRING = 0x28
    OBJECT = 0x30
    ARRAY = 0x38
    BINARY = 0x40
    OBJECT_ID = 0x48
    BOOL = 0x50
    DATE = 0x58
    TIMESTAMP = 0x60
    REGEX = 0x68
    CODE = 0x70
    CODE_WITH_SCOPE = 0x78
    MAX_KEY = 0xF0


class Undefined:
    """What MongoDB's indexes hold for an empty array: a value below null that no document has."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


# --- numbers ----------------------------------------------------------------------------------------------------------
# The nearest double toward zero, ordered as eight bytes; then whether the number is that double, or lies beyond it (and
# so is an int64 or a Decimal128), in which case its decimal digits follow: exponent and 34 digits, inverted below zero.

_BELOW, _EXACT, _ABOVE = 0x10, 0x20, 0x30
_DIGITS = 34
_DIGITS_BYTES = 17
_BIAS = 0x8000
_ALL_ONES = 0xFFFF_FFFF_FFFF_FFFF
_EXACT_INT = 1 << 53
_pack_tag_double_byte: Callable[[int, float, int], bytes] = struct.Struct(">BdB").pack
_pack_tag_bits_byte: Callable[[int, int, int], bytes] = struct.Struct(">BQB").pack
_pack_double: Callable[[float], bytes] = struct.Struct(">d").pack
_unpack_bits = struct.Struct(">Q").unpack
NAN: Final[bytes] = _pack_tag_bits_byte(Tag.NUMBER, 0, _EXACT)
"""The encoding of every NaN, below all other numbers."""


def _encode_double(value: float, exactness: int = _EXACT) -> bytes:
    if value > 0:
        return _pack_tag_double_byte(Tag.NUMBER, -value, exactness)  # the sign bit is what lifts it above the negatives
    if value < 0:
        return _pack_tag_bits_byte(Tag.NUMBER, _ALL_ONES ^ _unpack_bits(_pack_double(value))[0], exactness)
    if value == 0:
        return _pack_tag_bits_byte(Tag.NUMBER, 1 << 63, exactness)
    return NAN


def _encode_int(value: int) -> bytes:
    if 0 < value <= _EXACT_INT:
        return _pack_tag_double_byte(Tag.NUMBER, -value, _EXACT)
    if -_EXACT_INT <= value <= 0:
        return _encode_double(float(value))
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(f"{value} is not a 64-bit integer")
    return _encode_real(Decimal(value))


def _encode_decimal128(value: Decimal128) -> bytes:
    number = value.to_decimal()
    if number.is_nan():
        return NAN
    return _encode_double(float(number)) if number.is_infinite() else _encode_real(number)


def _encode_real(value: Decimal) -> bytes:
    double = float(value)
    if Decimal(double) == value:
        return _encode_double(double)
    if Decimal(double).copy_abs() > value.copy_abs():  # abs() rounds to 28 digits
        double = math.nextafter(double, 0.0)
    if value > 0:
        return _encode_double(double, _ABOVE) + _digits_of(value)
    return _encode_double(double, _BELOW) + bytes(255 - byte for byte in _digits_of(value))


def _digits_of(value: Decimal) -> bytes:
    digits = "".join(map(str, value.as_tuple().digits)).lstrip("0")
    coefficient: int = int(digits) * 10 ** (_DIGITS - len(digits))
    return (value.adjusted() + _BIAS).to_bytes(2) + coefficient.to_bytes(15)


def _decode_number(data: bytes, at: int) -> tuple[int | float | Decimal128, int]:
    exactness = data[at + 8]
    if exactness != _EXACT:
        return _decode_digits(data[at + 9 : at + 9 + _DIGITS_BYTES], exactness == _BELOW), at + 9 + _DIGITS_BYTES
    (bits,) = _unpack_bits(data[at : at + 8])
    if bits == 0:
        return math.nan, at + 9
    double: float
    (double,) = struct.unpack(">d", struct.pack(">Q", bits ^ (1 << 63) if bits >> 63 else bits ^ _ALL_ONES))
    whole = -_SIGN <= double < _SIGN and double.is_integer()
    return (int(double) if whole else double), at + 9


def _decode_digits(digits: bytes, negative: bool) -> int | Decimal128:
    if len(digits) != _DIGITS_BYTES:
        raise ValueError("the digits of a number are cut short")
    if negative:
        digits = bytes(255 - byte for byte in digits)
    exponent = int.from_bytes(digits[:2]) - _BIAS - (_DIGITS - 1)
    text = str(int.from_bytes(digits[2:]))
    shorter = text.rstrip("0")
    value = Decimal(("-" if negative else "") + shorter + f"E{exponent + len(text) - len(shorter)}")
    if value.adjusted() < 19 and value == int(value) and -(1 << 63) <= value < 1 << 63:
        return int(value)
    return Decimal128(value)


# --- strings and other scalars ----------------------------------------------------------------------------------------
# Text ends with a zero byte; a zero or one inside is written as 0x01 0x01 or 0x01 0x02.

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SIGN = 1 << 63
_REGEX_FLAGS = {"i": re.I, "l": re.L, "m": re.M, "s": re.S, "u": re.U, "x": re.X}
_OLD_BINARY = 2
_SHORT = 64
"""Text of no more characters is encoded once as long as it is used: the id of a document a dozen times for each mutation."""


def _text(raw: bytes) -> bytes:
    if b"\0" in raw or b"\1" in raw:
        raw = raw.replace(b"\1", b"\1\2").replace(b"\0", b"\1\1")
    return raw + b"\0"


def _encode_str(value: str) -> bytes:
    return _encode_short(value) if len(value) <= _SHORT else _encode_text(value)


def _encode_text(value: str) -> bytes:
    raw = value.encode()
    return b"\x28" + (_text(raw) if b"\0" in raw or b"\1" in raw else raw + b"\0")


_encode_short = lru_cache(8192)(_encode_text)


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    raw = data[at:end]
    if b"\1" in raw:
        raw = raw.replace(b"\1\1", b"\0").replace(b"\1\2", b"\1")
    return raw.decode(), end + 1


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    """Read what BSON ends with a zero, and so can hold none."""
    text, at = _read_text(data, at)
    if "\0" in text:
        raise ValueError("a name or a regular expression holds no zero")
    return text, at


def _encode_bytes(value: bytes) -> bytes:
    return b"\x40" + len(value).to_bytes(4) + b"\0" + value


def _encode_binary(value: Binary) -> bytes:
    if value.subtype == _OLD_BINARY:  # on the wire it carries its length a second time, and MongoDB compares that
        raw = len(value).to_bytes(4, "little") + bytes(value)
        return b"\x40" + len(raw).to_bytes(4) + b"\2" + raw
    return b"\x40" + len(value).to_bytes(4) + bytes([value.subtype]) + bytes(value)


def _decode_binary(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 5 + int.from_bytes(data[at : at + 4])
    subtype, raw = data[at + 4], data[at + 5 : end]
    if subtype == 0:
        return raw, end
    return Binary(raw[4:] if subtype == _OLD_BINARY else raw, subtype), end


def _encode_datetime(value: datetime) -> bytes:
    return _encode_millis(((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND)


def _encode_millis(millis: int) -> bytes:
    return b"\x58" + (millis + _SIGN).to_bytes(8)


def millis_of(value: datetime | DatetimeMS) -> int:
    """Give a date in milliseconds since 1970 (UTC)."""
    return int.from_bytes(encode_value(value)[1:]) - _SIGN


def _decode_date(data: bytes, at: int) -> tuple[datetime | DatetimeMS, int]:
    millis = int.from_bytes(data[at : at + 8]) - _SIGN
    try:
        return _EPOCH + timedelta(milliseconds=millis), at + 8
    except OverflowError:
        return DatetimeMS(millis), at + 8


def _encode_regex(value: Regex[Any] | re.Pattern[Any]) -> bytes:
    pattern = value.pattern.encode() if isinstance(value.pattern, str) else value.pattern
    flags = "".join(letter for letter, flag in _REGEX_FLAGS.items() if value.flags & flag)
    return b"\x68" + _text(pattern) + flags.encode() + b"\0"


def _decode_regex(data: bytes, at: int) -> tuple[Regex[str], int]:
    pattern, at = _read_name(data, at)
    letters, at = _read_text(data, at)
    flags = 0
    for letter in letters:
        flags |= _REGEX_FLAGS[letter]
    return Regex(pattern, flags), at


def _encode_code(value: Code) -> bytes:
    if value.scope is None:
        return b"\x70" + _text(value.encode())
    return b"\x78" + _text(value.encode()) + _fields(value.scope)


def _decode_code(data: bytes, at: int) -> tuple[Code, int]:
    text, at = _read_text(data, at)
    return Code(text), at


def _decode_code_with_scope(data: bytes, at: int) -> tuple[Code, int]:
    text, at = _read_text(data, at)
    scope, at = _decode_object(data, at)
    return Code(text, scope), at


# --- objects and arrays -----------------------------------------------------------------------------------------------
# MongoDB compares objects field by field: by type, then name, then value. A zero byte, below every tag, ends them.


def _fields(value: Mapping[str, Any]) -> bytes:
    parts = []
    for name, item in value.items():
        encoded = encode_value(item)
        parts.append(encoded[:1] + _text(name.encode()) + encoded[1:])
    return b"".join(parts) + b"\0"


def _encode_object(value: Mapping[str, Any]) -> bytes:
    return b"\x30" + _fields(value)


def _decode_object(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    document = {}
    while (tag := data[at]) != 0:
        name, at = _read_name(data, at + 1)
        document[name], at = _DECODERS[tag](data, at)
    return document, at + 1


def _encode_array(value: Sequence[Any]) -> bytes:
    return b"\x38" + b"".join([encode_value(item) for item in value]) + b"\0"


def _decode_array(data: bytes, at: int) -> tuple[list[Any], int]:
    items = []
    while data[at] != 0:
        item, at = decode_value(data, at)
        items.append(item)
    return items, at + 1


# --- any value --------------------------------------------------------------------------------------------------------

_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    str: _encode_str,
    int: _encode_int,
    Int64: _encode_int,
    float: _encode_double,
    ObjectId: lambda value: b"\x48" + value.binary,
    bool: lambda value: b"\x50\1" if value else b"\x50\0",
    type(None): lambda value: b"\x18",
    datetime: _encode_datetime,
    DatetimeMS: lambda value: _encode_millis(int(value)),
    dict: _encode_object,
    list: _encode_array,
    tuple: _encode_array,
    bytes: _encode_bytes,
    Binary: _encode_binary,
    Decimal128: _encode_decimal128,
    Timestamp: lambda value: b"\x60" + value.time.to_bytes(4) + value.inc.to_bytes(4),
    Regex: _encode_regex,
    re.Pattern: _encode_regex,
    Code: _encode_code,
    DBRef: lambda value: _encode_object(value.as_doc()),
    MinKey: lambda value: b"\x08",
    MaxKey: lambda value: b"\xf0",
    Undefined: lambda value: b"\x10",
    Mapping: _encode_object,
}

_DECODERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    Tag.MIN_KEY: lambda data, at: (MinKey(), at),
    Tag.UNDEFINED: lambda data, at: (UNDEFINED, at),
    Tag.NULL: lambda data, at: (None, at),
    Tag.NUMBER: _decode_number,
    Tag.STRING: _read_text,
    Tag.OBJECT: _decode_object,
    Tag.ARRAY: _decode_array,
    Tag.BINARY: _decode_binary,
    Tag.OBJECT_ID: lambda data, at: (ObjectId(data[at : at + 12]), at + 12),
    Tag.BOOL: lambda data, at: (data[at] == 1, at + 1),
    Tag.DATE: _decode_date,
    Tag.TIMESTAMP: lambda data, at: (
        Timestamp(int.from_bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8])),
        at + 8,
    ),
    Tag.REGEX: _decode_regex,
    Tag.CODE: _decode_code,
    Tag.CODE_WITH_SCOPE: _decode_code_with_scope,
    Tag.MAX_KEY: lambda data, at: (MaxKey(), at),
}


def encode_value(value: Any) -> bytes:
    """Encode one value.

    Raises:
        TypeError: BSON has no such value.
        OverflowError: An integer has more than 64 bits.
    """
    if type(value) is str:  # nearly always: ids
        return _encode_short(value) if len(value) <= _SHORT else _encode_text(value)
    encoder = _ENCODERS.get(type(value))
    return encoder(value) if encoder is not None else _encode_other(value)


def _encode_other(value: Any) -> bytes:
    # bool, Int64, Binary and Code stand in the table themselves and are found before their bases
    for base in (str, bool, int, float, datetime, Mapping, list, tuple, Binary, bytes, ObjectId):
        if isinstance(value, base):
            return _ENCODERS[base](value)
    raise TypeError(f"{type(value).__name__} is not a BSON value")


def decode_value(data: bytes, at: int) -> tuple[Any, int]:
    """Decode the value that begins at ``at``; tell it and where it ends."""
    decoder = _DECODERS.get(data[at])
    if decoder is None:
        raise ValueError(f"no value begins with the byte {data[at]:#04x}")
    return decoder(data, at + 1)
