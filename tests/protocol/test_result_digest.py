"""The digest of a result: the same for what any language would hold, another for everything else."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from typing import Any

import pytest
from hypothesis import given

from helpers.wire_strategies import float_of_bits, values
from synovia_protocol.codec import pack, unpack
from synovia_protocol.digest import canonical, digest
from synovia_protocol.messages import ArrayRef


def as_javascript_holds_it(value: Any) -> Any:
    """Forget what a program with one type of number forgets, and the order of keys."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53 and not (value == 0 and math.copysign(1, value) < 0):
            return int(value)
        return float_of_bits(0xFFF8_0000_0000_1234) if math.isnan(value) else value
    if isinstance(value, dict):
        return {key: as_javascript_holds_it(value[key]) for key in reversed(list(value))}
    return [as_javascript_holds_it(item) for item in value] if isinstance(value, list) else value


@given(values)
def test_a_program_without_integers_finds_the_same_digest(value: Any) -> None:
    assert digest(as_javascript_holds_it(value)) == digest(value)
    assert digest(unpack(pack(value))) == digest(value)


@given(values)
def test_the_canonical_form_is_its_own(value: Any) -> None:
    assert pack(canonical(canonical(value))) == pack(canonical(value))
    assert len(digest(value)) == 16


@pytest.mark.parametrize(
    ("value", "packed"),
    [
        (1.0, b"\x01"),
        (-3.0, b"\xfd"),
        (0.0, b"\x00"),
        (-0.0, b"\xcb\x80" + bytes(7)),
        (float(2**53 - 1), b"\xcf\x00\x1f\xff\xff\xff\xff\xff\xff"),
        (float(2**53), b"\xcb\x43\x40" + bytes(6)),
        (2**53, b"\xcf\x00\x20" + bytes(6)),
        (float_of_bits(0xFFF0_0000_0000_0001), b"\xcb\x7f\xf8" + bytes(6)),
        (float("-inf"), b"\xcb\xff\xf0" + bytes(6)),
        ({"é": 1, "z": 2, "a": 3.0, "": 4, "\U0001f600": 5, "\uffff": 6}, None),
        ([True, 1.0, None, b"\x00"], b"\x94\xc3\x01\xc0\xc4\x01\x00"),
    ],
)
def test_the_canonical_form_is_msgpack_with_every_choice_taken_away(value: Any, packed: bytes | None) -> None:
    if packed is None:  # by UTF-8: U+FFFF comes before U+1F600, unlike in UTF-16
        packed = b"\x86\xa0\x04\xa1a\x03\xa1z\x02\xa2\xc3\xa9\x01\xa3\xef\xbf\xbf\x06\xa4\xf0\x9f\x98\x80\x05"
    assert digest(value) == hashlib.sha256(packed).digest()[:16]


def test_what_is_not_the_same_has_another_digest() -> None:
    apart = [
        None, False, True, 0, 1, -0.0, 0.5, "", "0", b"", b"0", [], [None], {}, {"a": 1}, {"a": "1"}, {"b": 1}, [1],
        2**53, float(2**53), 2**53 + 1, math.nan, math.inf, -math.inf, dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        ArrayRef(bytes(32), "float64", (1,)), ArrayRef(bytes(32), "float64", (1, 1)), ArrayRef(bytes(32), "int64", (1,)),
    ]  # fmt: skip
    assert len({digest(value) for value in apart}) == len(apart)
