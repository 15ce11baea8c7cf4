from __future__ import annotations

import base64
import datetime as dt
import json
import math
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.wire_strategies import floats, integers, texts
from synovia.convex.shapes import ANYTHING, shape_of
from synovia.convex.values import BadValue, Clean, Unrepresentable, decode, encode, write
from synovia.schema.convex_types import ConvexInt64
from synovia_protocol.messages import ArrayRef
from synovia_protocol.values import pack

names = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).filter(lambda name: name[:1] != "$")
values = st.recursive(
    st.one_of(st.none(), st.booleans(), floats, integers.map(ConvexInt64), texts, st.binary(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
)


def written(value: Any) -> Any:
    return json.loads(write(encode(value)))


def marked(value: Any) -> Any:
    """Give a value in which equal means the same type and the same bits."""
    if isinstance(value, float):
        return "float", struct.pack("<d", value)
    if isinstance(value, list):
        return [marked(item) for item in value]
    if isinstance(value, dict):
        return {name: marked(item) for name, item in value.items()}
    return type(value), value


@given(values)
def test_what_is_written_is_read_again_to_the_bit(value: Any) -> None:
    assert marked(decode(written(value), ANYTHING)) == marked(value)


@given(integers)
def test_an_int_is_a_number_unless_that_would_change_it(value: int) -> None:
    text = write(encode(value))
    if -(2**53) < value < 2**53:
        assert json.loads(text) == value
        assert "." in text
    else:
        assert json.loads(text) == {"$integer": base64.b64encode(struct.pack("<q", value)).decode()}


@given(floats.filter(math.isfinite))
def test_a_number_has_a_point_or_an_exponent(value: float) -> None:
    if value != 0:
        assert any(mark in write(encode(value)) for mark in (".", "e"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5.0"),
        (0.0, "0.0"),
        (-0.0, '{"$float":"AAAAAAAAAIA="}'),
        (math.inf, '{"$float":"AAAAAAAA8H8="}'),
        (ConvexInt64(5), '{"$integer":"BQAAAAAAAAA="}'),
        (b"\x00\xff", '{"$bytes":"AP8="}'),
        ("å", '"å"'),
        (dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), "1000.0"),
        (ArrayRef(b"\x01" * 32, "float64", (3,)), '{"digest":"' + "01" * 32 + '","dtype":"float64","shape":[3.0]}'),
    ],
)
def test_each_type_in_its_form(value: Any, text: str) -> None:
    assert write(encode(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5.0"),
        (ConvexInt64(5), '"5"'),
        (math.nan, '"NaN"'),
        (-math.inf, '"-Infinity"'),
        (-0.0, "-0.0"),
        (b"a", '"YQ=="'),
    ],
)
def test_the_clean_form(value: Any, text: str) -> None:
    assert write(encode(value, None, Clean)) == text


@pytest.mark.parametrize("name", ["größe", "$id", "a\n", "x" * 1025, "\x7f"])
def test_a_field_name_that_clients_refuse_cannot_be_sent(name: str) -> None:
    with pytest.raises(Unrepresentable, match=r"list: .* is no field name"):
        encode({"list": [{name: 1}]})


@pytest.mark.parametrize("number", [5, 5.0, -3, 2.0**53 - 1, 0.0])
def test_a_number_without_a_fraction_becomes_an_int(number: float) -> None:
    assert marked(decode(number)) == marked(int(number))
    assert marked(decode(number, ANYTHING)) == marked(float(number))


@pytest.mark.parametrize("number", [0.5, 2.0**53, 1e300])
def test_other_numbers_stay(number: float) -> None:
    assert marked(decode(number)) == marked(number)


def test_minus_zero_stays() -> None:
    assert math.copysign(1, decode({"$float": "AAAAAAAAAIA="})) == -1


def test_a_number_where_a_time_is_meant() -> None:
    shape = shape_of(dt.datetime | None)
    assert decode(1500, shape) == dt.datetime(1970, 1, 1, 0, 0, 1, 500_000, dt.UTC)
    with pytest.raises(BadValue):
        decode(1e300, shape)


@pytest.mark.parametrize(
    "tree",
    [
        {"$integer": "BQA="},
        {"$integer": 5},
        {"$float": "AAAAAAAA8D8="},
        {"$bytes": "*"},
        {"$set": []},
        {"$map": []},
        {"$commitTs": None},
        {"$a": 1, "b": 2},
        {"größe": 1},
        "\ud800",
        10**400,
    ],
)
def test_what_is_no_value_is_refused(tree: Any) -> None:
    with pytest.raises(BadValue):
        decode(tree)


@pytest.mark.parametrize("innermost", [[], {}, [1], {"a": 1}])
@pytest.mark.parametrize("wrapped", [lambda inside: [inside], lambda inside: {"a": inside}])
def test_what_nests_too_deep_is_refused(innermost: Any, wrapped: Callable[[Any], Any]) -> None:
    tree = innermost
    for _ in range(63):
        tree = wrapped(tree)
    pack(decode(tree))  # as a result it could travel
    with pytest.raises(BadValue):
        decode(wrapped(tree))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["$integer", "$float", "$bytes"]), inner)
        ),
    )
)
def test_no_json_does_more_than_be_refused(tree: Any) -> None:
    for shape in (None, ANYTHING, shape_of(dt.datetime), shape_of(list[dict[str, dt.datetime]])):
        with suppress(BadValue):
            decode(tree, shape)
