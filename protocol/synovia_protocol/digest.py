"""The digest of a result: two programs in any language that hold the same value find the same 16 bytes.

The canonical form is msgpack with every choice taken away, see docs/protocol.md.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from synovia_protocol.values import pack_raw

DIGEST_BYTES = 16

_FIXED = frozenset({type(None), bool, int, str, bytes})
_SAFE = 2.0**53  # integers below are the same number in int64 and float64
_NAN = math.nan  # packs as 7ff8000000000000


def digest(value: Any) -> bytes:
    """Give the first 16 bytes of the SHA-256 of the canonical form of a wire value."""
    return hashlib.sha256(pack_raw(canonical(value))).digest()[:DIGEST_BYTES]


def canonical(value: Any) -> Any:
    """Take away what languages do differently: key order, integral floats, the kinds of NaN."""
    if isinstance(value, float):
        return _canonical_float(value)
    if isinstance(value, dict):
        return {key: item if type(item := value[key]) in _FIXED else canonical(item) for key in sorted(value)}
    if isinstance(value, (list, tuple)) and not _FIXED.issuperset(map(type, value)):
        return [item if type(item) in _FIXED else canonical(item) for item in value]
    if isinstance(value, Mapping):  # that is no dict
        return canonical(dict(value))
    return value


def _canonical_float(value: float) -> float | int:
    if value != value:
        return _NAN
    if value.is_integer() and abs(value) < _SAFE and (value or math.copysign(1.0, value) > 0):
        return int(value)
    return value
