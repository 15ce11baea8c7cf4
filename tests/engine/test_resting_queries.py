"""A live query that rests waits between two runs, the longer the more a run costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia.engine.live_queries import end_of_rest
from synovia.functions.access import Access
from synovia.functions.context import QueryContext
from synovia.functions.function import Function, Kind


@pytest.mark.parametrize(("seconds", "pause"), [(0.0, 0.25), (0.004, 0.25), (0.01, 0.6), (10.0, 2.0)])
def test_the_pause_is_a_multiple_of_the_run_within_bounds(seconds: float, pause: float) -> None:
    async def body(ctx: QueryContext) -> None: ...

    function = Function(body, Kind.QUERY, access=Access(internal=True))
    assert function.pause_after(seconds) == 0.0
    function.rest = 0.25
    assert function.pause_after(seconds) == pytest.approx(pause)


@given(
    st.lists(st.sampled_from([(0.25, 0.25), (0.25, 0.4), (0.25, 2.0), (0.5, 0.7), (0.5, 4.0)]), min_size=2, max_size=4),
    st.floats(0, 1000),
)
def test_all_that_rest_run_at_each_moment_of_the_one_that_rests_longest(
    functions: list[tuple[float, float]], began: float
) -> None:
    """However long each rests by itself: or who holds several of them would wait for an instant at which all are known."""
    moments = [set(_moments(pause, rest, began)) for rest, pause in functions]
    fewest = min(moments, key=len)
    assert len(fewest) > 2
    assert all(fewest <= each for each in moments)


def _moments(pause: float, rest: float, began: float) -> Iterator[float]:
    """Give the moments at which a query runs that takes a sixtieth of its pause, once all have rested for the first time."""
    now = began
    while now < began + 30:
        now = end_of_rest(now + pause / 60, pause, rest)
        if began + 10 <= now < began + 30:
            yield now


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.9, 1.0, 7.7])
def test_a_query_that_takes_longer_than_it_rests_does_rest(seconds: float) -> None:
    assert 1.0 <= end_of_rest(seconds, 2.0, 0.25) - seconds < 3.0


def test_a_function_that_does_not_always_rest_has_no_grid() -> None:
    assert end_of_rest(10.3, 0.9, 0.0) == pytest.approx(11.2)
