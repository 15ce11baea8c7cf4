"""Intervals of index keys: what equality on leading fields and bounds on the next one select."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from synovia.keys.encoding import NAN, Tag, encode_value
from synovia.keys.tuples import AFTER, encode, next_tag


class Interval(NamedTuple):
    """A half-open range ``[low, high)`` of encoded index keys.

    Each end is an encoded prefix of key values, optionally followed by one byte: ``keys.AFTER`` or a type tag.
    """

    low: bytes
    high: bytes

    def __contains__(self, key: bytes) -> bool:  # type: ignore[override]
        return self.low <= key < self.high


EMPTY: Final = Interval(b"", b"")
_NEGATIVE_INFINITY = encode_value(-math.inf)


def after(key: bytes) -> bytes:
    """Give the end of the interval of all keys that begin with ``key``."""
    return key + b"\xff"


def prefix(values: Iterable[Any]) -> Interval:
    """Give the interval of all keys that begin with ``values``."""
    key = encode(values)
    return Interval(key, key + b"\xff")


def between(
    equals: Iterable[Any], low: tuple[Any, bool] | None = None, high: tuple[Any, bool] | None = None
) -> Interval:
    """Give the interval of the keys that begin with ``equals`` and whose next value lies between two bounds.

    As in MongoDB's queries only values of the bound's own type count, nothing is greater or less than NaN, and MinKey
    and MaxKey compare with every type.

    Args:
        equals: The values of the leading fields.
        low: A bound and whether it is itself inside; None is no bound.
        high: The same from above.
    """
    head = encode(equals)
    if low is None and high is None:
        return Interval(head, head + b"\xff")
    start, end = b"", b"\xff"
    if low is not None:
        start, end = _from(*low)
    if high is not None:
        lowest, highest = _to(*high)
        start, end = max(start, lowest), min(end, highest)
    return Interval(head + start, head + end) if start < end else Interval(head, head)


def _from(value: Any, inclusive: bool) -> tuple[bytes, bytes]:
    """Give the range of the values of one type from ``value`` upward."""
    key = encode_value(value)
    if key == NAN:
        return key, (key + b"\xff" if inclusive else key)
    end = AFTER if key[0] == Tag.MIN_KEY else next_tag(key[0])
    return (key if inclusive else key + b"\xff"), bytes([end])


def _to(value: Any, inclusive: bool) -> tuple[bytes, bytes]:
    """Give the range of the values of one type up to ``value``."""
    key = encode_value(value)
    end = key + b"\xff" if inclusive else key
    if key == NAN:
        return key, end
    if key[0] == Tag.MAX_KEY:
        return b"", end
    return (_NEGATIVE_INFINITY if key[0] == Tag.NUMBER else key[:1]), end
