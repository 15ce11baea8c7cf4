"""A live query that rests waits between two runs, the longer the more a run costs."""

from __future__ import annotations

import pytest

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
