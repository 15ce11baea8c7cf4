"""Filters hold as in MongoDB's query language (compared with a real one in the contract suite)."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from synovia.store.filters import AllOf, AnyOf, Comparison, Filter, Not, Operator, compiled, matches


class _Missing:
    def __str__(self) -> str:
        return "missing"


MISSING: Any = _Missing()


def holds(operator: Operator, value: Any, bound: Any, field: str = "f") -> bool:
    document = {"_id": 1} if value is MISSING else {"_id": 1, field.split(".")[0]: value}
    return matches(Comparison(field, operator, bound), document)


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (1, 1.0),
        (Int64(5), Decimal128("5.00")),
        (0.0, -0.0),
        (math.nan, math.nan),
        (Decimal128("NaN"), math.nan),
        (MISSING, None),
        (None, None),
        ([1, 2], 2),
        ([1, 2], [1, 2]),
        ([[1, 2]], [1, 2]),
        ([], []),
        ([None], None),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2.0}),
        (True, True),
        (ObjectId("a" * 24), ObjectId("a" * 24)),
        (DBRef("c", 1), {"$ref": "c", "$id": 1}),
    ],
    ids=str,
)
def test_equal(value: Any, bound: Any) -> None:
    assert holds("eq", value, bound)
    assert holds("in", value, [bound, "other"])
    assert not holds("ne", value, bound)
    assert holds("le", value, bound)
    assert holds("ge", value, bound)


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (1, True),
        (0, None),
        ("1", 1),
        ("a", b"a"),
        ([], None),
        ([1, 2], [2, 1]),
        ([1, 2], [1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": None}, {}),
        (str(ObjectId("a" * 24)), ObjectId("a" * 24)),
        (MISSING, []),
    ],
    ids=str,
)
def test_not_equal(value: Any, bound: Any) -> None:
    assert not holds("eq", value, bound)
    assert not holds("in", value, [bound])
    assert holds("ne", value, bound)


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (1, 2),
        (1, 1.5),
        ((1 << 53), (1 << 53) + 1),
        (Decimal128("0.1"), 0.1),
        (-math.inf, -1),
        ("a", "b"),
        ("é", "😀"),
        (False, True),
        ([5, 1], 2),
        ({"a": 1}, {"a": 2}),
        ([[1]], [2]),
        (MISSING, MaxKey()),
        ("x", MaxKey()),
    ],
    ids=str,
)
def test_less(value: Any, bound: Any) -> None:
    assert holds("lt", value, bound)
    assert holds("le", value, bound)


@pytest.mark.parametrize("operator", ["lt", "le", "gt", "ge"])
@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (1, "a"),
        ("a", 1),
        (None, 1),
        (MISSING, 1),
        (1, None),
        (True, 1),
        (math.nan, 1),
        (1, math.nan),
        ([], 1),
        ({}, 1),
        (1, [1]),
    ],
    ids=str,
)
def test_values_of_two_types_are_neither_less_nor_greater(operator: Operator, value: Any, bound: Any) -> None:
    assert not holds(operator, value, bound)


def test_min_key_is_below_everything_and_max_key_above() -> None:
    everything: list[Any] = [MISSING, None, 1, "a", [], {}]
    for value in everything:
        assert holds("gt", value, MinKey())
        assert holds("lt", value, MaxKey())
        assert not holds("lt", value, MinKey())
        assert not holds("gt", value, MaxKey())
    assert not holds("gt", MinKey(), MinKey())
    assert holds("ge", MinKey(), MinKey())


def test_a_range_over_an_array_may_be_met_by_two_elements() -> None:
    condition = AllOf((Comparison("f", "gt", 2), Comparison("f", "lt", 4)))
    assert matches(condition, {"f": [1, 5]})
    assert not matches(condition, {"f": [5, 6]})


@pytest.mark.parametrize(
    ("value", "bound", "expected"),
    [
        ({"g": 1}, 1, True),
        ({"g": [1, 2]}, 2, True),
        ([{"g": 1}, {"g": 2}], 2, True),
        ([{"g": [3]}, {"h": 1}], 3, True),
        ([{"g": 1}, {"h": 1}], None, True),
        ([{"g": 1}], None, False),
        ([1, 2], None, False),
        ([], None, False),
        ({}, None, True),
        (5, None, True),
        (MISSING, None, True),
        ([[{"g": 1}]], 1, False),
        (DBRef("c", 1, g=4), 4, True),
    ],
    ids=str,
)
def test_dotted_fields_reach_through_maps_and_arrays_of_maps(value: Any, bound: Any, expected: bool) -> None:
    assert holds("eq", value, bound, "f.g") == expected
    assert holds("ne", value, bound, "f.g") != expected


def test_connectives() -> None:
    yes, no = Comparison("a", "eq", 1), Comparison("a", "eq", 2)
    document = {"a": 1}
    table: list[tuple[Filter, bool]] = [
        (AllOf(()), True),
        (AllOf((yes, yes)), True),
        (AllOf((yes, no)), False),
        (AnyOf(()), False),
        (AnyOf((no, yes)), True),
        (AnyOf((no, no)), False),
        (Not(yes), False),
        (Not(Not(yes)), True),
        (Not(AllOf((yes, no))), True),
    ]
    for condition, expected in table:
        assert matches(condition, document) is expected


def test_what_bson_has_not_is_refused_when_the_filter_is_made() -> None:
    with pytest.raises(TypeError):
        compiled(Comparison("a", "eq", object()))


plain = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, math.nan]) | st.text("ab", max_size=2)
)


@given(plain | st.lists(plain, max_size=3), plain)
def test_the_laws_of_the_operators(value: Any, bound: Any) -> None:
    less, equal, greater = (holds(operator, value, bound) for operator in ("lt", "eq", "gt"))
    assert holds("ne", value, bound) != equal
    assert holds("in", value, [bound]) == equal
    assert holds("le", value, bound) == (less or equal)
    assert holds("ge", value, bound) == (greater or equal)
    if not isinstance(value, list):
        assert less + equal + greater <= 1
