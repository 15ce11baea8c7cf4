"""The walk that finds array references, beside msgpack's own way through the same bytes."""

from __future__ import annotations

from typing import Any

import msgpack
from hypothesis import given

from helpers.wire_strategies import values
from synovia_protocol.codec import pack
from synovia_protocol.messages import ArrayRef
from synovia_protocol.references import array_references, digests_in
from synovia_protocol.values import EXT_ARRAY_REF

LEFT, RIGHT = (ArrayRef(bytes([number]) * 32, "float64", (3,)) for number in (1, 2))


def references_in_bytes(packed: bytes) -> list[ArrayRef]:
    found = []

    def take(code: int, data: bytes) -> None:
        if code == EXT_ARRAY_REF:
            found.append(ArrayRef(*msgpack.unpackb(data)))

    msgpack.unpackb(packed, ext_hook=take)
    return found


@given(values)
def test_it_finds_what_the_packed_value_holds_in_the_same_order(value: Any) -> None:
    assert list(array_references(value)) == references_in_bytes(pack(value))


def test_tuples_are_lists_and_a_reference_counts_as_often_as_it_stands_there() -> None:
    assert list(array_references({"knees": (LEFT, [RIGHT, {"again": LEFT}])})) == [LEFT, RIGHT, LEFT]
    assert list(digests_in([LEFT, (RIGHT,)])) == [LEFT.digest, RIGHT.digest]


def test_depth_is_no_matter() -> None:
    value: Any = LEFT
    for _ in range(100_000):
        value = [value]
    assert list(array_references(value)) == [LEFT]


def test_what_is_no_wire_value_is_opened_only_as_asked() -> None:
    class Recording:
        def __init__(self, **fields: Any) -> None:
            self.__dict__.update(fields)

    value = [Recording(left=LEFT, inner=Recording(right=RIGHT)), "text", 7, None]
    assert list(array_references(value)) == []
    assert list(array_references(value, lambda item: vars(item) if isinstance(item, Recording) else None)) == [
        LEFT,
        RIGHT,
    ]
