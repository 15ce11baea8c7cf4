"""Index keys: their order, that they can be read back, and what documents and intervals they give."""

from __future__ import annotations

import itertools
import math
import re
import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.son import SON
from hypothesis import given
from hypothesis import strategies as st

from synovia import keys
from synovia.keys import BY_ID, IndexSpec, Interval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ASCENDING: list[list[Any]] = [
    # the values of one inner list are equal
    [MinKey()],
    [keys.UNDEFINED],
    [None],
    [math.nan, -math.nan, Decimal128("NaN"), Decimal128("-NaN"), Decimal128("sNaN")],
    [-math.inf, Decimal128("-Infinity")],
    [Decimal128("-9.999999999999999999999999999999999E+6144")],
    [-1.7976931348623157e308],
    [Decimal128("-9223372036854775809")],
    [-(1 << 63), -(2.0**63)],
    [-(1 << 63) + 1],
    [-(1 << 53) - 1],
    [-(1 << 53), -(2.0**53)],
    [Decimal128("-9007199254740991.5")],
    [-1, -1.0, Int64(-1), Decimal128("-1.00")],
    [Decimal128("-0.1000000000000000055511151231257828")],
    [-0.1],
    [Decimal128("-0.1000000000000000055511151231257827")],
    [Decimal128("-0.1")],
    [-5e-324],
    [Decimal128("-1E-6176")],
    [0, 0.0, -0.0, Decimal128("0"), Decimal128("-0E+10")],
    [Decimal128("1E-6176")],
    [5e-324],
    [Decimal128("0.1")],
    [Decimal128("0.1000000000000000055511151231257827")],
    [0.1],
    [Decimal128("0.1000000000000000055511151231257828")],
    [1, 1.0],
    [1 << 53, 2.0**53],
    [Decimal128("9007199254740992.5")],
    [(1 << 53) + 1, Decimal128("9007199254740993")],
    [(1 << 63) - 2],
    [(1 << 63) - 1],
    [2.0**63, Decimal128("9223372036854775808")],
    [Decimal128("1.797693134862315708145274237317044E+308")],
    [Decimal128("1E+400")],
    [Decimal128("2E+400"), Decimal128("2.000E+400")],
    [math.inf, Decimal128("Infinity")],
    [""],
    ["\0"],
    ["\0\0"],
    ["\0a"],
    ["\1"],
    ["\1\1"],
    ["\1\2"],
    ["\2"],
    ["a"],
    ["a\0"],
    ["a\1"],
    ["aa"],
    ["b"],
    ["é"],
    ["\uffff"],
    ["😀"],
    [{}],
    [{"b": None}],
    [{"a": 0}],
    [{"a": 1}, {"a": 1.0}, SON(a=1)],
    [{"a": 1, "b": MinKey()}],
    [{"a": 2}],
    [{"b": 0}],
    [DBRef("c", 1), {"$ref": "c", "$id": 1}],
    [{"a": "x"}],
    [{"a": {}}],
    [[], ()],
    [[1]],
    [[1, None]],
    [[1, 1], (1, 1)],
    [["a"]],
    [[[]]],
    [b"", Binary(b"", 0)],
    [Binary(b"", 5)],
    [b"\0"],
    [b"\1", Binary(b"\1", 0)],
    [Binary(b"\0", 128)],
    [b"zz"],
    [Binary(b"", 2)],
    [b"\xff" * 5],
    [Binary(b"a", 2)],
    [ObjectId("0" * 24)],
    [ObjectId("f" * 24)],
    [False],
    [True],
    [DatetimeMS(-(1 << 63))],
    [datetime(1, 1, 1, tzinfo=UTC)],
    [datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), DatetimeMS(-1)],
    [datetime(1970, 1, 1), EPOCH, EPOCH.astimezone(timezone(timedelta(hours=5))), DatetimeMS(0)],
    [datetime(2024, 1, 1, 0, 0, 0, 1000, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)],
    [DatetimeMS((1 << 63) - 1)],
    [Timestamp(0, 1)],
    [Timestamp(1, 0)],
    [Timestamp((1 << 32) - 1, 0)],
    [Regex("a", 0)],
    [Regex("a", "i"), Regex(b"a", re.I), re.compile(b"a", re.I)],
    [Regex("a", "im")],
    [Regex("a", "u"), re.compile("a")],
    [Regex("b", 0)],
    [Code("")],
    [Code("a")],
    [Code("", {})],
    [Code("a", {})],
    [Code("a", {"x": 1})],
    [MaxKey()],
]


def test_values_of_all_types_are_ordered_as_in_mongodb() -> None:
    encoded = [[keys.encode([value]) for value in equals] for equals in ASCENDING]
    assert all(len(set(equals)) == 1 for equals in encoded)
    in_order = [equals[0] for equals in encoded]
    for number, (lower, higher) in enumerate(itertools.pairwise(in_order)):
        assert lower < higher, (ASCENDING[number], ASCENDING[number + 1])


# --- properties ---------------------------------------------------------------------------------------------------------

names = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=2)
texts = st.text(st.characters(codec="utf-8") | st.sampled_from("\0\1\2ab"), max_size=3)
int64s = st.integers(-(1 << 63), (1 << 63) - 1) | st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1])
decimals = st.builds(
    lambda digits, exponent: Decimal128(Decimal(digits).scaleb(exponent)),
    st.integers(-(10**34) + 1, 10**34 - 1),
    st.integers(-60, 20),
)
numbers = int64s | st.floats() | decimals | st.sampled_from([value for equals in ASCENDING[3:34] for value in equals])
scalars = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.binary(max_size=3)
    | st.builds(Binary, st.binary(max_size=3), st.sampled_from([0, 2, 4, 5, 128]))
    | st.builds(ObjectId, st.binary(min_size=12, max_size=12))
    | st.builds(DatetimeMS, st.integers(-(1 << 63), (1 << 63) - 1))
    | st.datetimes(timezones=st.just(UTC))
    | st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    | st.builds(Regex, names, st.sampled_from([0, re.I, re.M | re.X]))
    | st.builds(Code, texts)
    | st.sampled_from([MinKey(), MaxKey(), keys.UNDEFINED])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, inner, max_size=3)
        | st.builds(Code, texts, st.dictionaries(names, inner, max_size=2))
    ),
    max_leaves=6,
)
tuples = st.lists(values, max_size=3)


@given(tuples)
def test_a_key_is_read_back_as_values_of_equal_rank(items: list[Any]) -> None:
    key = keys.encode(items)
    found = keys.decode_given(key)
    assert len(found) == len(items)
    assert keys.encode(found) == key


@given(
    st.none()
    | st.booleans()
    | int64s
    | texts
    | st.builds(ObjectId)
    | st.binary(max_size=4)
    | st.builds(Timestamp, st.just(1), st.integers(0, 9))
)
def test_plain_values_are_read_back_as_they_were(value: Any) -> None:
    [found] = keys.decode(keys.encode([value]))
    assert type(found) is type(value)
    assert found == value


@given(values, values)
def test_no_encoding_begins_with_another(one: Any, other: Any) -> None:
    first, second = keys.encode([one]), keys.encode([other])
    assert first == second or not (first.startswith(second) or second.startswith(first))


@given(values)
def test_nothing_that_follows_sorts_after_after(value: Any) -> None:
    key = keys.encode([value])
    assert 0x01 <= key[0] <= 0xFE
    assert key[0] == keys.tag_of(value)
    assert key < keys.after(key)


@given(tuples, tuples)
def test_tuples_are_ordered_value_by_value(one: list[Any], other: list[Any]) -> None:
    first, second = ([keys.encode([value]) for value in each] for each in (one, other))
    assert (keys.encode(one) < keys.encode(other)) == (first < second)


def exactly(value: Any) -> Fraction | float:
    """Give a number as Python compares it exactly, -inf and inf as they are."""
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    return float(number) if number in (math.inf, -math.inf) else Fraction(number)


def is_nan(value: Any) -> bool:
    return value.to_decimal().is_nan() if isinstance(value, Decimal128) else math.isnan(value)


@given(numbers, numbers)
def test_numbers_are_compared_exactly(one: Any, other: Any) -> None:
    first, second = keys.encode([one]), keys.encode([other])
    nans = [is_nan(each) for each in (one, other)]
    if any(nans):
        assert (first < second) == (nans[0] and not nans[1])
    else:
        assert (first < second) == (exactly(one) < exactly(other))
        assert (first == second) == (exactly(one) == exactly(other))


@given(texts, texts)
def test_strings_are_compared_as_utf8(one: str, other: str) -> None:
    assert (keys.encode([one]) < keys.encode([other])) == (one.encode() < other.encode())


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_dates_are_compared_to_the_millisecond(one: datetime, other: datetime) -> None:
    first, second = ((each - EPOCH) // timedelta(milliseconds=1) for each in (one, other))
    assert (keys.encode([one]) < keys.encode([other])) == (first < second)


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, Decimal("1")], ids=lambda value: type(value).__name__)
def test_what_bson_has_not_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        keys.encode([value])


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1])
def test_larger_integers_are_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        keys.encode([value])


@given(tuples, st.data())
def test_a_key_cut_short_is_refused_or_a_shorter_bound(items: list[Any], data: st.DataObject) -> None:
    key = keys.encode(items)
    cut = key[: data.draw(st.integers(0, len(key)))]
    try:
        found, tail = keys.decode_bound(cut)
    except ValueError:
        return
    assert keys.encode(found) + (b"" if tail is None else bytes([tail])) == cut


@pytest.mark.parametrize(
    "key", [b"\0", b"\2", b"\xff", b"\x28abc", b"\x48abc", b"\x20", b"\x40\0\0\0\5\0a", b"\x30\0\x01"]
)
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|byte|value|digit|substring"):
        keys.decode(key)


def test_subclasses_of_plain_types_are_encoded_as_these() -> None:
    class Id(str):
        pass

    class Number(int):
        pass

    assert keys.encode([Id("a"), Number(3)]) == keys.encode(["a", 3])


# --- bounds and intervals -----------------------------------------------------------------------------------------------


def test_a_bound_is_read_as_values_and_a_tail() -> None:
    assert keys.decode_bound(b"") == ((), None)
    assert keys.decode_bound(keys.after(keys.encode(["a", 1]))) == (("a", 1), keys.AFTER)
    assert keys.decode_bound(keys.encode(["a"]) + bytes([keys.Tag.NUMBER])) == (("a",), keys.Tag.NUMBER)
    assert keys.decode_bound(b"\xff") == ((), keys.AFTER)
    assert keys.decode_bound(keys.encode([None])) == ((None,), None)


@given(values, st.booleans(), values, st.booleans(), values)
def test_an_interval_holds_what_lies_between_its_bounds_and_is_of_their_type(
    low: Any, with_low: bool, high: Any, with_high: bool, value: Any
) -> None:
    for candidate in (value, low, high):
        tail = keys.encode(["the id"])
        for bounds in [(low, None), (None, high), (low, high)]:
            least, most = bounds
            interval = keys.between(
                ["x"], None if least is None else (least, with_low), None if most is None else (most, with_high)
            )
            above = least is None or _above(candidate, least, with_low)
            below = most is None or _below(candidate, most, with_high)
            assert (keys.encode(["x", candidate]) + tail in interval) == (above and below)
            assert (keys.encode(["y", candidate]) + tail) not in interval


NAN = keys.encode([math.nan])


def _above(value: Any, bound: Any, inclusive: bool) -> bool:
    own, key = keys.encode([value]), keys.encode([bound])
    if own == key:
        return inclusive
    if key[0] == keys.Tag.MIN_KEY:
        return True
    return own[0] == key[0] and own > key and key != NAN


def _below(value: Any, bound: Any, inclusive: bool) -> bool:
    own, key = keys.encode([value]), keys.encode([bound])
    if own == key:
        return inclusive
    if key[0] == keys.Tag.MAX_KEY:
        return True
    return own[0] == key[0] and own < key and own != NAN


def test_a_prefix_holds_every_key_that_begins_so() -> None:
    interval = keys.prefix(["a", 1])
    assert keys.encode(["a", 1, "id"]) in interval
    assert keys.encode(["a", 1]) in interval
    assert keys.encode(["a", 1, MaxKey(), "id"]) in interval
    assert keys.encode(["a", 2, "id"]) not in interval
    assert keys.encode(["a"]) not in interval
    assert keys.prefix([]) == Interval(b"", b"\xff")


def test_bounds_of_two_types_hold_nothing() -> None:
    interval = keys.between([], (1, True), ("b", True))
    assert interval.low >= interval.high
    assert keys.EMPTY.low >= keys.EMPTY.high


# --- keys of documents ----------------------------------------------------------------------------------------------------


def keyed(fields: str, document: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = keys.index_keys(IndexSpec("i", tuple(fields.split())), {"_id": 7, **document})
    assert found == sorted(set(found))
    return [keys.decode(key) for key in found]


@pytest.mark.parametrize(
    ("fields", "document", "expected"),
    [
        ("a", {"a": 1}, [(1, 7)]),
        ("a", {}, [(None, 7)]),
        ("a b", {"b": "x"}, [(None, "x", 7)]),
        ("a", {"a": [2, 1, 2.0]}, [(1, 7), (2, 7)]),
        ("a", {"a": []}, [(keys.UNDEFINED, 7)]),
        ("a", {"a": [[1, 2], [3]]}, [([1, 2], 7), ([3], 7)]),
        ("a", {"a": [[]]}, [([], 7)]),
        ("a", {"a": {"b": [1]}}, [({"b": [1]}, 7)]),
        ("b a", {"a": [1, 2], "b": 0}, [(0, 1, 7), (0, 2, 7)]),
        ("a.b", {"a": {"b": 1}}, [(1, 7)]),
        ("a.b", {"a": 1}, [(None, 7)]),
        ("a.b", {"a": {}}, [(None, 7)]),
        ("a.b", {"a": DBRef("c", 1)}, [(None, 7)]),
        ("a.$id", {"a": DBRef("c", 1)}, [(1, 7)]),
        ("a.b", {"a": [{"b": 1}, {"b": [2, 3]}, {}, 5]}, [(None, 7), (1, 7), (2, 7), (3, 7)]),
        ("a.b", {"a": []}, [(None, 7)]),
        ("a.b", {"a": {"b": []}}, [(keys.UNDEFINED, 7)]),
        ("a.b", {"a": [[{"b": 1}]]}, [(None, 7)]),
        ("a.b a.c", {"a": [{"b": 1, "c": 2}, {"b": 3}]}, [(1, 2, 7), (3, None, 7)]),
        ("a a.b", {"a": [{"b": [1, 2]}, 3]}, [(3, None, 7), ({"b": [1, 2]}, 1, 7), ({"b": [1, 2]}, 2, 7)]),
        ("a.b a", {"a": []}, [(None, keys.UNDEFINED, 7)]),
    ],
    ids=str,
)
def test_keys_of_a_document(fields: str, document: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    assert keyed(fields, document) == expected


def test_the_index_of_the_table_itself_holds_the_id() -> None:
    assert keys.index_keys(BY_ID, {"_id": "a", "x": 1}) == [keys.encode(["a"])]


@pytest.mark.parametrize("fields", ["a b", "a.x b.x", "a.x a.y"])
def test_two_arrays_in_one_index_are_refused(fields: str) -> None:
    document = {"_id": 1, "a": {"x": [1], "y": [1]}, "b": [{"x": [1]}]}
    if fields == "a b":
        document["a"] = [1]
    with pytest.raises(keys.ParallelArrays):
        keys.index_keys(IndexSpec("i", tuple(fields.split())), document)


def test_nan_payloads_are_one_key() -> None:
    payload = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))[0]
    assert keys.encode([payload]) == keys.encode([math.nan])
