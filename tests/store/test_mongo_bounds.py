"""Intervals of encoded keys as the ends of MongoDB's index scans, and the little parsers beside them."""

from __future__ import annotations

import bson
import pytest
from bson import MaxKey, MinKey
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st

from synovia import keys
from synovia.keys import UNDEFINED, IndexSpec, Interval, Tag
from synovia.store.mongo.bounds import span
from synovia.store.mongo.times import timestamp, token_ts, ts_of

BY_AB = IndexSpec("by_ab", ("a", "b"))


def test_a_prefix_spans_everything_that_begins_with_it() -> None:
    found = span(BY_AB, keys.prefix([5]))
    assert found.low == {"a": 5, "b": MinKey(), "_id": MinKey()}
    assert found.high == {"a": 5, "b": MaxKey(), "_id": MaxKey()}
    assert (found.pinned, found.values, found.exact, found.empty, found.edges) == (1, (5,), True, False, ())


def test_a_range_is_bracketed_by_its_type() -> None:
    found = span(BY_AB, keys.between(["x"], low=(5, False)))
    assert found.low == {"a": "x", "b": 5, "_id": MaxKey()}
    assert found.high == {"a": "x", "b": "", "_id": MinKey()}
    assert (found.pinned, found.exact) == (1, False)


@pytest.mark.parametrize("tag", sorted(Tag))
def test_every_type_has_a_lowest_value(tag: Tag) -> None:
    """Its encoding is the least that begins with the tag, so that a bracket cuts exactly there."""
    found = span(IndexSpec("by_a", ("a",)), Interval(bytes([tag]), b"\xff"))
    value = UNDEFINED if tag is Tag.UNDEFINED else found.low["a"]
    assert keys.encode_value(value)[0] == tag


def test_the_place_after_an_entry_is_looked_at_apart() -> None:
    entry = keys.encode([1, 2, "id"])
    after = span(BY_AB, Interval(keys.after(entry), b"\xff"))
    until = span(BY_AB, Interval(b"", keys.after(entry)))
    only = span(BY_AB, Interval(entry, keys.after(entry)))
    assert after.low == until.high == {"a": 1, "b": 2, "_id": "id"}
    assert after.edges == until.edges == only.edges == ("id",)
    assert (after.empty, until.empty, only.empty) == (False, False, True)


def test_an_end_at_an_empty_array_is_bson_undefined() -> None:
    found = span(BY_AB, keys.prefix([UNDEFINED])).low
    assert isinstance(found, RawBSONDocument)
    assert found.raw[4:7] == b"\x06a\0"
    assert list(bson.decode(found.raw)) == ["a", "b", "_id"]


@given(st.integers(0, (1 << 63) - 1))
def test_a_timestamp_is_an_integer_and_back(ts: int) -> None:
    assert ts_of(timestamp(ts)) == ts
    assert token_ts({"_data": f"82{ts:016X}2B0229296E04"}) == ts


@pytest.mark.parametrize(
    "token", [None, {}, {"_data": ""}, {"_data": "82zz"}, {"_data": "99" + "0" * 30}, {"_data": b"x"}]
)
def test_a_token_of_another_form_tells_no_time(token: dict[str, object] | None) -> None:
    assert token_ts(token) is None
