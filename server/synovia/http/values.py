"""Wire values as JSON and back, without loss: MongoDB's Extended JSON where it has a form for them.

=======================================  ==============================================================
a wire value                             as JSON
=======================================  ==============================================================
None, bool, str, list                    the same
int, up to 2**53 - 1 either way          a number without a point or an exponent
int beyond                               ``{"$numberLong": "9007199254740993"}``; a plain number is taken too
float                                    a number with a point or an exponent, in its shortest exact form
NaN and the infinities                   ``{"$numberDouble": "NaN"}``, ``"Infinity"``, ``"-Infinity"``
any other NaN                            ``{"$numberDouble": "0x7ff8000000000001"}``, its 64 bits
bytes                                    ``{"$binary": {"base64": "...", "subType": "00"}}``
datetime                                 ``{"$date": "2026-11-21T08:00:00.000Z"}``, UTC, milliseconds
``ArrayRef``                             ``{"$array": {"digest": HEX, "dtype": "float64", "shape": [3]}}``
map                                      the same, if no key begins with ``$``
map with such a key                      ``{"$map": {...}}``, whose keys mean what they say
=======================================  ==============================================================
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

from synovia_protocol import codec
from synovia_protocol.errors import WireValueError
from synovia_protocol.messages import ArrayRef

EXACT = 2**53 - 1
"""The largest integer that every reader of JSON keeps exactly."""
MOST_DIGITS = 20
MOST_CONTAINERS = 50_000
"""Lists and maps in one text: each takes about a microsecond to read."""
_INT64 = range(-(2**63), 2**63)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NAN = 0x7FF8_0000_0000_0000
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_LONG = re.compile(rb"[0-9]{19}")
_BITS = re.compile(r"0x[0-9a-f]{16}")


class JsonError(ValueError):
    """A text is not the JSON of a wire value; the message says why and may be shown."""


class TooMuch(JsonError):
    """It nests too deeply, or has too many parts."""


# --- writing ------------------------------------------------------------------------------------------------------------


def dump(value: Any) -> bytes:
    """Write JSON of plain objects that ``to_json`` or the like has made."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def to_json(value: Any) -> Any:
    """Turn a wire value into what ``dump`` writes."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"{type(value).__name__} is not a wire value")
    return writer(value)


def _itself(value: Any) -> Any:
    return value


def _int(value: int) -> Any:
    return value if -EXACT <= value <= EXACT else {"$numberLong": str(value)}


def _float(value: float) -> Any:
    if math.isfinite(value):
        return value
    if math.isinf(value):
        return {"$numberDouble": "Infinity" if value > 0 else "-Infinity"}
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    return {"$numberDouble": "NaN" if bits == _NAN else f"{bits:#018x}"}


def _bytes(value: bytes) -> Any:
    return {"$binary": {"base64": base64.b64encode(value).decode(), "subType": "00"}}


def _datetime(value: dt.datetime) -> Any:
    moment = value.astimezone(dt.UTC).replace(tzinfo=None)
    return {"$date": moment.isoformat(timespec="milliseconds") + "Z"}


def _array(value: ArrayRef) -> Any:
    return {"$array": {"digest": value.digest.hex(), "dtype": value.dtype, "shape": list(value.shape)}}


def _list(value: Any) -> Any:
    if set(map(type, value)) == {float} and all(map(math.isfinite, value)):
        return value
    return [to_json(item) for item in value]


def _map(value: dict[str, Any]) -> Any:
    written = {key: to_json(item) for key, item in value.items()}
    return {"$map": written} if any(key.startswith("$") for key in value) else written


_WRITERS: dict[type, Callable[[Any], Any]] = {
    type(None): _itself,
    bool: _itself,
    str: _itself,
    int: _int,
    float: _float,
    bytes: _bytes,
    dt.datetime: _datetime,
    ArrayRef: _array,
    list: _list,
    tuple: _list,
    dict: _map,
}


# --- reading ------------------------------------------------------------------------------------------------------------


def load(text: bytes) -> Any:
    """Read a wire value.

    Raises:
        TooMuch: It nests too deeply, or has too many lists and maps.
        JsonError: It is not UTF-8 or not JSON, names a key twice, or holds what is not a wire value.
    """
    _check_containers(text)
    try:
        value = json.loads(text.decode(), object_pairs_hook=_pairs, parse_constant=_constant, **_int_parser(text))
        if b'"$' in text or b"\\u0024" in text:
            value = from_json(value)
        codec.pack(value)  # depth, 64 bits, and text that is no text
    except RecursionError:
        raise TooMuch("nested too deeply") from None
    except UnicodeDecodeError:
        raise JsonError("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error}") from None
    except WireValueError as error:
        raise TooMuch(str(error)) if str(error) == "nested too deeply" else JsonError(str(error)) from None
    return value


def _check_containers(text: bytes) -> None:
    """Refuse what takes long to read for its size; brackets in strings do not count."""
    if text.count(b"[") + text.count(b"{") > MOST_CONTAINERS:
        bare = _STRING.sub(b"", text)
        if bare.count(b"[") + bare.count(b"{") > MOST_CONTAINERS:
            raise TooMuch(f"more than {MOST_CONTAINERS:,} lists and maps")


def _int_parser(text: bytes) -> dict[str, Any]:
    """Look at integers one by one only where some may be too long."""
    return {"parse_int": _digits} if _LONG.search(text) else {}


def _digits(text: str) -> int:
    if len(text) > MOST_DIGITS or (value := int(text)) not in _INT64:
        raise JsonError(f"{text[:30]}{'...' * (len(text) > 30)} is an integer beyond 64 bits with sign")
    return value


def _constant(text: str) -> Any:
    raise JsonError(f'{text} is not JSON; write {{"$numberDouble": "{text}"}}')


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonError(f"the key {twice[:80]!r} is there twice")
    return found


def from_json(value: Any) -> Any:
    """Turn what was read from JSON into the wire value that it stands for.

    Raises:
        JsonError: A key that begins with ``$`` stands where none can be, or for nothing.
    """
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    tag = next((key for key in value if key.startswith("$")), None)
    return {key: from_json(item) for key, item in value.items()} if tag is None else _tagged(tag, value)


def _tagged(tag: str, value: dict[str, Any]) -> Any:
    reader = _READERS.get(tag)
    if reader is None or len(value) != 1:
        raise JsonError(f'the key {tag[:80]!r} means nothing here; a map with such keys is written {{"$map": {{...}}}}')
    try:
        return reader(value[tag])
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        if isinstance(error, JsonError):
            raise
        raise JsonError(f"this is not how {tag} is written") from None


def _read_long(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text, re.ASCII):
        raise ValueError
    return _digits(text)


_DOUBLES = {"NaN": struct.unpack(">d", _NAN.to_bytes(8))[0], "Infinity": math.inf, "-Infinity": -math.inf}


def _read_double(text: str) -> float:
    if text in _DOUBLES:
        return float(_DOUBLES[text])
    if _BITS.fullmatch(text):
        return float(struct.unpack(">d", bytes.fromhex(text[2:]))[0])
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII):
        raise ValueError
    return float(text)


def _read_binary(value: Any) -> bytes:
    match value:
        case {"base64": str(text), **rest} if set(rest) <= {"subType"} and rest.get("subType", "00") in ("00", "0"):
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise ValueError from None
    raise ValueError


def _read_date(value: Any) -> dt.datetime:
    if isinstance(value, dict) and len(value) == 1:  # as Extended JSON's canonical form has it
        return _EPOCH + dt.timedelta(milliseconds=_read_long(value["$numberLong"]))
    if not _DATE.fullmatch(value):
        raise ValueError
    return dt.datetime.fromisoformat(value).astimezone(dt.UTC)


def _read_array(value: Any) -> ArrayRef:
    match value:
        case {"digest": str(digest), "dtype": str(dtype), "shape": [*shape], **rest} if not rest:
            if _HEX.fullmatch(digest) and all(type(axis) is int and axis >= 0 for axis in shape):
                return ArrayRef(bytes.fromhex(digest), dtype, tuple(shape))
    raise ValueError


def _read_map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return {key: from_json(item) for key, item in value.items()}


_READERS: dict[str, Callable[[Any], Any]] = {
    "$numberLong": _read_long,
    "$numberDouble": _read_double,
    "$binary": _read_binary,
    "$date": _read_date,
    "$array": _read_array,
    "$map": _read_map,
}
