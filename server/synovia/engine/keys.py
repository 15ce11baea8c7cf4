"""Index keys: tuples of BSON values as bytes whose order is MongoDB's order of values.

A key is the concatenation of its values' encodings (see ``engine.encoding``), so comparing two keys as bytes compares
them value by value. Intervals of keys are then byte ranges, and equality on leading fields is a common prefix.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bson import DBRef
from bson.errors import BSONError

from synovia.engine.encoding import NAN, UNDEFINED, Tag, decode_value, encode_value
from synovia.store.base import IndexSpec, Interval

__all__ = [
    "AFTER",
    "EMPTY",
    "UNDEFINED",
    "ParallelArrays",
    "Tag",
    "after",
    "between",
    "decode",
    "decode_bound",
    "encode",
    "encode_value",
    "index_keys",
    "next_tag",
    "prefix",
    "tag_of",
]

AFTER: Final = 0xFF
"""A byte that sorts after every continuation of a key."""

_TAGS = sorted(Tag)


class ParallelArrays(ValueError):
    """Two fields of one index hold different arrays, which MongoDB refuses to index."""


def encode(values: Iterable[Any]) -> bytes:
    """Encode key values to bytes that sort as MongoDB sorts the values.

    Raises:
        TypeError: A value is not one that BSON has.
        OverflowError: An integer has more than 64 bits.
    """
    return b"".join([encode_value(value) for value in values])


def decode(key: bytes) -> tuple[Any, ...]:
    """Decode a key to values of equal rank: numbers come back as int where they are whole, DBRef as a map.

    Raises:
        ValueError: These bytes are no key.
    """
    values, tail = decode_bound(key)
    if tail is not None:
        raise ValueError("the key ends in the middle")
    return values


def decode_bound(bound: bytes) -> tuple[tuple[Any, ...], int | None]:
    """Decode an end of an interval: its leading values, and the byte that follows them: AFTER, a tag, or None.

    Raises:
        ValueError: These bytes are no end of an interval.
    """
    values: list[Any] = []
    at, end = 0, len(bound)
    while at < end:
        if at == end - 1 and (bound[at] == AFTER or bound[at] in _LONGER):
            return tuple(values), bound[at]
        try:
            value, at = decode_value(bound, at)
        except (IndexError, KeyError, TypeError, ValueError, struct.error, BSONError) as error:
            raise ValueError("the key ends in the middle") from error
        values.append(value)
    if at != end:
        raise ValueError("the key ends in the middle")
    return tuple(values), None


_LONGER = frozenset(_TAGS) - {Tag.MIN_KEY, Tag.UNDEFINED, Tag.NULL, Tag.MAX_KEY}
"""The types whose tag alone is not yet a value."""


def tag_of(value: Any) -> int:
    """Tell the type tag of a value: two values can be compared by ``lt`` and its like only if their tags are equal."""
    return encode_value(value)[0]


def next_tag(tag: int) -> int:
    """Tell the tag of the next higher type, or AFTER for the highest."""
    return next((int(higher) for higher in _TAGS if higher > tag), AFTER)


# --- keys of documents ------------------------------------------------------------------------------------------------


def index_keys(index: IndexSpec, document: Mapping[str, Any]) -> list[bytes]:
    """Give the keys under which an index holds a document: sorted, distinct, each ending with its encoded ``_id``.

    As in MongoDB a missing field counts as null, an array gives one key for each distinct element, and an empty one
    counts as undefined.

    Raises:
        ParallelArrays: Two fields of the index hold different arrays.
    """
    tail = encode_value(document["_id"])
    values = []
    for field in index.fields:
        value = document.get(field)
        if isinstance(value, list | tuple) or "." in field:
            return _expanded_keys(index, document, tail)
        values.append(encode_value(value))
    values.append(tail)
    return [b"".join(values)]


def _expanded_keys(index: IndexSpec, document: Mapping[str, Any], tail: bytes) -> list[bytes]:
    paths: list[tuple[str, ...] | None] = [tuple(field.split(".")) for field in index.fields]
    keys = {encode(values) + tail for values in _expand(paths, [None] * len(paths), document)}
    return sorted(keys)


def _expand(paths: list[tuple[str, ...] | None], found: list[Any], document: Mapping[str, Any]) -> Iterable[list[Any]]:
    """Walk ``paths`` (None: its value stands in ``found``) down to the first array, and over that array's elements."""
    paths, found = list(paths), list(found)
    array: Sequence[Any] | None = None
    for position, path in enumerate(paths):
        if path is None:
            continue
        value, rest = _walk(document, path)
        if isinstance(value, list | tuple):
            if array is not None and array is not value:
                raise ParallelArrays("an index cannot hold two different arrays of one document")
            array, paths[position] = value, rest
        else:
            found[position], paths[position] = value, None
    if array is None:
        yield found
        return
    for element in array or (UNDEFINED,):
        filled = [element if path == () else value for path, value in zip(paths, found, strict=True)]
        yield from _expand([path or None for path in paths], filled, _as_map(element))


def _walk(document: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Follow ``path`` through maps to its value, or to the first array on it and what is left of the path there."""
    value: Any = document
    for depth, name in enumerate(path):
        if isinstance(value, list | tuple):
            return value, path[depth:]
        value = _as_map(value).get(name)
    return value, ()


def _as_map(value: Any) -> Mapping[str, Any]:
    if isinstance(value, DBRef):
        return value.as_doc()
    return value if isinstance(value, Mapping) else {}


# --- intervals --------------------------------------------------------------------------------------------------------

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
