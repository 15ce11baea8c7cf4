"""Tuples of BSON values as bytes whose order is MongoDB's order of values.

A key is the concatenation of its values' encodings (see ``keys.encoding``), so comparing two keys as bytes compares them
value by value. Intervals of keys are then byte ranges, and equality on leading fields is a common prefix.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

from bson.errors import BSONError

from synovia.keys.encoding import Tag, decode_value, encode_value

AFTER: Final = 0xFF
"""A byte that sorts after every continuation of a key."""

MOST_DEPTH: Final = 100
"""Lists and maps inside each other in a value of a key; MongoDB stores no document that goes deeper."""

_TAGS = sorted(Tag)


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


def decode_given(key: bytes) -> tuple[Any, ...]:
    """Decode a key that a client has given, who may have made it up: as ``decode``, and it is what ``encode`` gives.

    Raises:
        ValueError: No document can have this key.
    """
    values = decode(key)
    if not _is_shallow(values) or encode(values) != key:
        raise ValueError("no document has this key")
    return values


def _is_shallow(values: tuple[Any, ...]) -> bool:
    level: list[Any] = list(values)
    for _ in range(MOST_DEPTH):
        level = [part for value in level if isinstance(value, dict | list) for part in _parts(value)]
    return not level


def _parts(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


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
        except _NO_KEY as error:
            raise ValueError("the key ends in the middle") from error
        values.append(value)
    if at != end:
        raise ValueError("the key ends in the middle")
    return tuple(values), None


_NO_KEY: Final = (
    IndexError, KeyError, TypeError, ValueError, ArithmeticError, RecursionError, struct.error, BSONError,
)  # fmt: skip
"""What comes of decoding bytes that somebody has made up."""

_LONGER = frozenset(_TAGS) - {Tag.MIN_KEY, Tag.UNDEFINED, Tag.NULL, Tag.MAX_KEY}
"""The types whose tag alone is not yet a value."""


def tag_of(value: Any) -> int:
    """Tell the type tag of a value: two values can be compared by ``lt`` and its like only if their tags are equal."""
    return encode_value(value)[0]


def next_tag(tag: int) -> int:
    """Tell the tag of the next higher type, or AFTER for the highest."""
    return next((int(higher) for higher in _TAGS if higher > tag), AFTER)
