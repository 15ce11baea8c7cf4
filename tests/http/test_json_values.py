from __future__ import annotations

import datetime as dt
import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.wire_strategies import bits, values
from synovia.http.values import EXACT, JsonError, TooMuch, dump, load, to_json
from synovia_protocol.messages import ArrayRef


@given(values)
def test_every_wire_value_comes_back_to_the_bit(value: Any) -> None:
    assert bits(load(dump(to_json(value)))) == bits(value)


@given(values)
def test_what_is_written_is_json_that_any_reader_keeps(value: Any) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    def integer(text: str) -> int:
        assert abs(int(text)) <= EXACT
        return int(text)

    json.loads(dump(to_json(value)), parse_constant=refuse, parse_int=integer)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(JsonError):
        value = load(text)
        assert bits(load(dump(to_json(value)))) == bits(value)


json_objects = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["$numberLong", "$numberDouble", "$binary", "$date", "$array", "$map", "$x", "base64", "a"]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=10,
)


@given(json_objects)
def test_tags_with_anything_inside_are_read_or_refused(value: Any) -> None:
    with suppress(JsonError):
        read = load(json.dumps(value).encode())
        assert bits(load(dump(to_json(read)))) == bits(read)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (5, "5"),
        (5.0, "5.0"),
        (-0.0, "-0.0"),
        (1e300, "1e+300"),
        (2**53 - 1, "9007199254740991"),
        (2**53, '{"$numberLong":"9007199254740992"}'),
        (-(2**63), '{"$numberLong":"-9223372036854775808"}'),
        (math.nan, '{"$numberDouble":"NaN"}'),
        (-math.inf, '{"$numberDouble":"-Infinity"}'),
        (b"\x00\xff", '{"$binary":{"base64":"AP8=","subType":"00"}}'),
        (dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC), '{"$date":"2026-11-21T08:00:00.000Z"}'),
        (dt.datetime(1, 1, 1, tzinfo=dt.UTC), '{"$date":"0001-01-01T00:00:00.000Z"}'),
        ({"a": [None, True]}, '{"a":[null,true]}'),
        ({"$a": {"$numberLong": 1}}, '{"$map":{"$a":{"$map":{"$numberLong":1}}}}'),
        ("é", '"é"'),
    ],
)
def test_the_forms_that_are_documented(value: Any, written: str) -> None:
    assert dump(to_json(value)).decode() == written
    assert bits(load(written.encode())) == bits(value)


def test_a_reference_to_an_array() -> None:
    ref = ArrayRef(bytes(range(32)), "float64", (3, 4))
    written = {"$array": {"digest": bytes(range(32)).hex(), "dtype": "float64", "shape": [3, 4]}}
    assert to_json(ref) == written
    assert load(json.dumps(written).encode()) == ref


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (b'{"a":1,"a":2}', "the key 'a' is there twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"9223372036854775808", "beyond 64 bits"),
        (b"1" * 100_000, "beyond 64 bits"),
        (b'{"$numberLong":"1' + b"0" * 30 + b'"}', "beyond 64 bits"),
        (b'{"$numberLong":"1_0"}', "not how $numberLong is written"),
        (b'{"$numberLong":5}', "not how $numberLong is written"),
        (b'{"$numberDouble":"nan"}', "not how $numberDouble is written"),
        (b'{"$date":"yesterday"}', "not how $date is written"),
        (b'{"$date":"2026-13-01T00:00:00Z"}', "not how $date is written"),
        (b'{"$date":{"a":1}}', "not how $date is written"),
        (b'{"$date":{"$numberLong":"9000000000000000000"}}', "not how $date is written"),
        (b'{"$binary":{"base64":"A"}}', "not how $binary is written"),
        (b'{"$binary":{"base64":"AA==","subType":"04"}}', "not how $binary is written"),
        (b'{"$array":{"digest":"00","dtype":"float64","shape":[]}}', "not how $array is written"),
        (b'{"$map":[1]}', "not how $map is written"),
        (b'{"$where":"1"}', "means nothing here"),
        (b'{"$date":"2026-11-21T08:00:00Z","a":1}', "means nothing here"),
        (b'"\\ud800"', "surrogate"),
    ],
)
def test_what_is_no_wire_value_is_refused_with_its_reason(text: bytes, said: str) -> None:
    with pytest.raises(JsonError) as caught:
        load(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("depth", [65, 1_000, 500_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        with pytest.raises(TooMuch):
            load((opening * depth + "1" + closing * depth).encode())


def test_moments_of_other_zones_are_read() -> None:
    assert load(b'{"$date":"2026-11-21T09:00:00+01:00"}') == dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC)
    assert load(b'{"$date":{"$numberLong":"0"}}') == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def test_too_many_lists_and_maps_are_refused_and_brackets_in_text_are_not() -> None:
    with pytest.raises(TooMuch, match="more than 50,000 lists and maps"):
        load(b"[" + b"[]," * 60_000 + b"1]")
    with pytest.raises(TooMuch):
        load(b'["' + b"\\" * 2 + b'",' + b"{}," * 60_000 + b"1]")
    text = '[{\\"' * 60_000
    assert load(json.dumps([text, text]).encode()) == [text, text]
    assert load(json.dumps(list(range(100_000))).encode()) == list(range(100_000))
