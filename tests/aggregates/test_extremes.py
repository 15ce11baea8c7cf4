"""The least and greatest of values that come and go, beside a plain list of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia import keys
from synovia.aggregates import extremes
from synovia.aggregates.extremes import Extreme

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60)


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extremes, "KEPT", 3)


@pytest.mark.usefixtures("_few")
@given(STEPS, st.booleans())
def test_the_first_is_right_as_long_as_it_is_known(steps: list[tuple[bool, int]], greatest: bool) -> None:
    kept, values, most = Extreme(greatest=greatest), list[int](), 0
    for coming, number in steps:
        if coming:
            values.append(number)
            kept.add(keys.encode_value(number), number)
            most = max(most, len(set(values)))
        elif values:
            gone = values.pop(number % len(values))
            if not kept.remove(keys.encode_value(gone)):
                assert most > 3  # it can lose its way only where there once were more than it keeps
                return
        best = (max if greatest else min)(values, default=None)
        assert kept.first() == best
        assert len(kept.keys()) <= 3


@pytest.mark.usefixtures("_few")
def test_a_copy_moves_by_itself() -> None:
    kept = Extreme()
    kept.add(keys.encode_value(1), 1)
    other = kept.copy()
    other.remove(keys.encode_value(1))
    other.add(keys.encode_value(2), 2)
    assert (kept.first(), other.first()) == (1, 2)
