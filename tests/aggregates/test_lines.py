"""The line of least squares, beside that of Python's statistics, and after points were taken away."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synovia.aggregates.lines import Line, Trend

POINTS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)))


def line(points: list[tuple[float, float]]) -> Line:
    found = Line()
    for x, y in points:
        found = found.moved(x, y, 1)
    return found


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=2))
def test_the_line_is_that_of_the_textbook(points: list[tuple[int, int]]) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    assume(len(set(xs)) > 1)
    expected, found = statistics.linear_regression(xs, ys), line(list(points)).trend()
    assert found.count == len(points)
    assert found.slope == pytest.approx(expected.slope, abs=1e-9)
    assert found.at(17) == pytest.approx(expected.slope * 17 + expected.intercept, abs=1e-6)
    if len(set(ys)) > 1:
        assert found.r_squared == pytest.approx(statistics.correlation(xs, ys) ** 2, abs=1e-9)


@given(POINTS, POINTS)
def test_points_that_were_added_can_be_taken_away(
    kept: list[tuple[float, float]], gone: list[tuple[float, float]]
) -> None:
    found = line([*gone, *kept])
    for x, y in gone:
        found = found.moved(x, y, -1)
    assert found == line(kept[::-1])


def test_a_slope_over_times_far_from_zero_loses_nothing() -> None:
    week = 7 * 86_400_000
    start = 1_700_000_000_000
    points = [(float(start + n * week), 40.0 + 2.5 * n) for n in range(10)]
    trend = line(points).trend()
    assert trend.slope is not None
    assert trend.slope * week == pytest.approx(2.5, rel=1e-15)
    assert trend.r_squared == 1.0


def test_too_little_makes_no_line() -> None:
    assert line([]).trend() == Trend(count=0)
    assert line([]).trend().at(1) is None
    assert line([(1, 2)]).trend() == Trend(count=1, mean_x=1.0, mean_y=2.0)
    assert line([(1, 2), (1, 4)]).trend() == Trend(count=2, mean_x=1.0, mean_y=3.0)
    assert line([(1, 2), (2, 2)]).trend() == Trend(count=2, slope=0.0, mean_x=1.5, mean_y=2.0)


def test_a_point_that_is_no_place_spoils_the_line_until_it_goes() -> None:
    spoilt = line([(1, 2), (2, 4)]).moved(3, math.nan, 1)
    assert math.isnan(spoilt.trend().slope or 0)
    assert spoilt.moved(3, math.nan, -1).trend().slope == 2.0
