"""Tagged JSON, as README.md describes it, and what the cases have in common."""

from __future__ import annotations

import dataclasses
import datetime as dt
import struct
from typing import Any

from synovia_protocol import messages as m
from synovia_protocol.edits import ListEdit, MapEdit
from synovia_protocol.errors import ErrorInfo

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DIGEST = bytes(range(32))
SESSION = bytes(range(16))
REF = m.ArrayRef(DIGEST, "float64", (3, 4))
ERROR = ErrorInfo("forbidden", "this recording is not yours")

FLOATS = {
    "zero": 0,
    "minus zero": 1 << 63,
    "one": 0x3FF0_0000_0000_0000,
    "a tenth": 0x3FB9_9999_9999_999A,
    "2^53": 0x4340_0000_0000_0000,
    "smallest subnormal": 1,
    "largest subnormal, negative": 0x800F_FFFF_FFFF_FFFF,
    "largest": 0x7FEF_FFFF_FFFF_FFFF,
    "infinity": 0x7FF0_0000_0000_0000,
    "minus infinity": 0xFFF0_0000_0000_0000,
    "NaN": 0x7FF8_0000_0000_0000,
    "NaN with sign and payload": 0xFFF8_0000_DEAD_BEEF,
    "signalling NaN": 0x7FF0_0000_0000_0001,
}

Case = dict[str, Any]


def tagged(value: Any) -> Any:
    """Write a value as README.md says."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dt.datetime):
        return {"time": str((value - EPOCH) // dt.timedelta(milliseconds=1))}
    if isinstance(value, dict):
        return {"map": _pairs(value)}
    if isinstance(value, (list, tuple)):
        return [tagged(item) for item in value]
    return _tagged_object(value)


def _pairs(value: dict[str, Any]) -> list[Any]:
    return [[key, tagged(item)] for key, item in value.items()]


def _tagged_object(value: Any) -> Any:
    if isinstance(value, m.ArrayRef):
        shape = [str(axis) for axis in value.shape]
        return {"array": {"digest": value.digest.hex(), "dtype": value.dtype, "shape": shape}}
    if isinstance(value, MapEdit):
        return {"mapEdit": {"edits": _pairs(value.edits), "removed": list(value.removed)}}
    if isinstance(value, ListEdit):
        runs = [str(run) if isinstance(run, int) else tagged(run) for run in value.runs]
        edits = [[str(at), tagged(item)] for at, item in zip(value.edits[::2], value.edits[1::2], strict=True)]
        return {"listEdit": {"runs": runs, "edits": edits}}
    fields = {item.name: tagged(getattr(value, item.name)) for item in dataclasses.fields(value)}
    return {"is": type(value).__name__, **fields}


def number(bits: int) -> float:
    """Make the float with these bits."""
    return float(struct.unpack(">d", bits.to_bytes(8, "big"))[0])


def ramp(length: int, seed: int) -> bytes:
    """Make the bytes of a ``ramp``."""
    return bytes((seed + 31 * index + index // 256) % 256 for index in range(length))


def time(milliseconds: int) -> dt.datetime:
    """Make a timestamp."""
    return EPOCH + dt.timedelta(milliseconds=milliseconds)


def nested(depth: int, inner: Any = None) -> Any:
    """Put a value into lists."""
    for _ in range(depth):
        inner = [inner]
    return inner
