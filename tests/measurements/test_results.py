"""How figures of several rounds are summed up."""

from __future__ import annotations

import random

import pytest
from benchmarks.results import median_interval


def test_the_interval_of_a_median_is_that_of_the_sign_test() -> None:
    assert median_interval(range(1, 11)) == (2, 9)  # as tables of it have it for ten values
    assert median_interval(range(1, 21)) == (6, 15)
    assert median_interval([3.0]) == (3.0, 3.0)


def test_the_interval_has_the_median_as_often_as_it_says() -> None:
    chance = random.Random(1)
    intervals = [median_interval([chance.expovariate(1.0) for _ in range(15)]) for _ in range(1_000)]
    share = sum(low <= 0.6931 <= high for low, high in intervals) / len(intervals)
    assert share == pytest.approx(0.965, abs=0.02)  # exact for 15 values
