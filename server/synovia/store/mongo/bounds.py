"""Intervals of encoded keys as the ``min`` and ``max`` that MongoDB's index scans take.

These two are raw positions in an index (no brackets around types, no rule of their own for arrays), so an interval of bytes
is one range of the index. ``min`` is inside the range and ``max`` outside, both name every field of the index.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bson
from bson import Code, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from synovia import keys
from synovia.keys import UNDEFINED, IndexSpec, Interval, Tag

_LOWEST: Final[dict[int, Any]] = {
    Tag.NUMBER: math.nan,
    Tag.STRING: "",
    Tag.OBJECT: {},
    Tag.ARRAY: [],
    Tag.BINARY: b"",
    Tag.OBJECT_ID: ObjectId(bytes(12)),
    Tag.BOOL: False,
    Tag.DATE: DatetimeMS(-(1 << 63)),
    Tag.TIMESTAMP: Timestamp(0, 0),
    Tag.REGEX: Regex(""),
    Tag.CODE: Code(""),
    Tag.CODE_WITH_SCOPE: Code("", {}),
}

_NO_ID: Final = frozenset({Tag.UNDEFINED, Tag.ARRAY, Tag.REGEX})
"""Types that MongoDB allows in no ``_id``, so that no entry ends with them."""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval as MongoDB can scan it.

    ``min`` and ``max`` cannot say "just after this entry". Where an end of the interval does, the entry's document is named
    in ``edges``: its place has to be looked at apart from the scan.
    """

    low: Mapping[str, Any]
    high: Mapping[str, Any]
    pinned: int
    """How many leading fields have one and the same value throughout."""
    values: tuple[Any, ...]
    """The pinned values."""
    exact: bool
    """The interval is all keys with the pinned values, no less."""
    empty: bool
    """Nothing lies between low and high (there may still be edges)."""
    edges: tuple[Any, ...]


def fields_of(index: IndexSpec) -> tuple[str, ...]:
    """Name the fields of the index in MongoDB."""
    return (*index.fields, "_id")


def span(index: IndexSpec, interval: Interval) -> Span:
    """Translate an interval over ``index``."""
    fields = fields_of(index)
    low, low_tail = keys.decode_bound(interval.low)
    high, high_tail = keys.decode_bound(interval.high)
    ends = [
        values[-1] for values, tail in ((low, low_tail), (high, high_tail)) if _is_after_entry(fields, values, tail)
    ]
    low_end, high_end = _filled(fields, low, low_tail), _filled(fields, high, high_tail)
    pinned = _common(low, high)
    return Span(
        low=_document(fields, low_end),
        high=_document(fields, high_end),
        pinned=pinned,
        values=low[:pinned],
        exact=low == low[:pinned] and low_tail is None and interval.high == interval.low + bytes([keys.AFTER]),
        empty=keys.encode(low_end) >= keys.encode(high_end),
        edges=tuple(ends),
    )


def _is_after_entry(fields: Sequence[str], values: Sequence[Any], tail: int | None) -> bool:
    return tail == keys.AFTER and len(values) == len(fields) and keys.tag_of(values[-1]) not in _NO_ID


def _filled(fields: Sequence[str], values: Sequence[Any], tail: int | None) -> list[Any]:
    """Complete the values of an end: the rest of the fields at their lowest, or at their highest after AFTER."""
    head = list(values)
    if tail is not None and tail != keys.AFTER:
        head.append(_LOWEST[tail])
    rest: Any = MaxKey() if tail == keys.AFTER else MinKey()
    return head + [rest] * (len(fields) - len(head))


def _common(low: Sequence[Any], high: Sequence[Any]) -> int:
    for count, (a, b) in enumerate(zip(low, high, strict=False)):
        if keys.encode_value(a) != keys.encode_value(b):
            return count
    return min(len(low), len(high))


def _document(fields: Sequence[str], values: Sequence[Any]) -> Mapping[str, Any]:
    if not any(value is UNDEFINED for value in values):
        return dict(zip(fields, values, strict=True))
    body = b"".join(_element(name, value) for name, value in zip(fields, values, strict=True)) + b"\0"
    return RawBSONDocument((len(body) + 4).to_bytes(4, "little") + body)


def _element(name: str, value: Any) -> bytes:
    """Encode one field; the driver has no value for the undefined that an index holds for an empty array."""
    return b"\x06" + name.encode() + b"\0" if value is UNDEFINED else bson.encode({name: value})[4:-1]
