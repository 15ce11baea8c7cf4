"""Sums without rounding: in any order, with any removals, the nearest float64 to the true sum."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from synovia.aggregates.totals import Total

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1))


def total(values: list[float]) -> Total:
    found = Total()
    for value in values:
        found = found.moved(value, 1)
    return found


@given(st.lists(FINITE))
def test_a_sum_is_the_true_one_rounded_once(values: list[float]) -> None:
    true = sum(map(Fraction, values), Fraction())
    try:
        assert total(values).sum() == float(true)
    except OverflowError:
        assert total(values).sum() == (math.inf if true > 0 else -math.inf)


@given(st.lists(FINITE, min_size=1))
def test_a_mean_is_the_true_one_rounded_once(values: list[float]) -> None:
    true = sum(map(Fraction, values), Fraction()) / len(values)
    assert total(values).mean() == float(true)


@given(st.lists(ANY), st.lists(ANY))
def test_what_was_added_can_be_taken_away_in_any_order(kept: list[float], gone: list[float]) -> None:
    found = total([*gone, *kept])
    for value in reversed(gone):
        found = found.moved(value, -1)
    assert found == total(kept[::-1])


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_stay_integers(values: list[int]) -> None:
    assert total(list(values)).is_whole
    assert total(list(values)).whole() == sum(values)
    assert not total([*values, 0.5]).is_whole


def test_nan_and_infinities_are_what_ieee_754_says() -> None:
    assert math.isnan(total([1.0, math.nan]).sum())
    assert total([1.0, math.inf]).sum() == math.inf
    assert total([-math.inf, 1.0]).sum() == -math.inf
    assert math.isnan(total([math.inf, -math.inf]).sum())
    assert total([math.inf]).moved(math.inf, -1).moved(2.0, 1).sum() == 2.0
    assert total([]).sum() == 0.0
    assert total([]).mean() is None
