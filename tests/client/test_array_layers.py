"""Which samples a plot fetches and draws: no peak is lost, and moving a little asks for nothing new."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia_client.array_layers import (
    EVERY_BELOW,
    OUTLINE_POINTS,
    Wanted,
    envelope,
    in_order,
    layer_of,
    outline_of,
    pick,
    wanted_for,
)


@given(
    count=st.integers(OUTLINE_POINTS + 1, 10_000_000),
    first=st.floats(-1e6, 1e7),
    span=st.floats(1e-3, 1e7),
    pixels=st.floats(1, 8_000),
)
def test_what_is_fetched_reaches_over_the_view_and_is_bounded(
    count: int, first: float, span: float, pixels: float
) -> None:
    wanted = wanted_for(first, first + span, count, pixels)
    if wanted is None:
        return
    assert 0 <= wanted.start < wanted.stop <= count
    assert wanted.start <= max(0.0, first)
    assert wanted.stop - 1 >= min(first + span, count - 1)
    numbers = wanted.stop - wanted.start if wanted.points is None else wanted.points
    assert numbers <= 6 * max(EVERY_BELOW * pixels, 16) + 6


def test_moving_a_little_asks_for_nothing_new() -> None:
    asked = {wanted_for(100_000 + by, 101_000 + by, 1_000_000, 800) for by in range(500)}
    assert len(asked) <= 3
    assert wanted_for(float("nan"), 1.0, 1_000_000, 800) is None
    assert wanted_for(-200, -100, 1_000_000, 800) is None
    assert wanted_for(0, 1_000_000, 1_000_000, 800) is None
    assert wanted_for(0, 10, OUTLINE_POINTS, 800) is None
    assert outline_of(10) == Wanted(0, 10, None)
    assert outline_of(100_000) == Wanted(0, 100_000, OUTLINE_POINTS)


@given(st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1, max_size=300), st.integers(0, 500))
def test_an_envelope_has_every_peak_and_gaps_only_where_nothing_is(values: list[float], start: int) -> None:
    samples, bucket = np.array(values), 8
    layer = envelope(samples, start, bucket)
    pairs = layer.values.reshape(-1, 2)
    numbers = (np.arange(start, start + len(samples)) // bucket) - start // bucket
    assert len(pairs) == numbers[-1] + 1
    for number, pair in enumerate(pairs):
        there = samples[numbers == number]
        finite = there[np.isfinite(there)]
        if len(finite):
            assert sorted(pair) == [finite.min(), finite.max()]
        else:
            assert np.isnan(pair).all()
    assert (np.diff(layer.places) > 0).all()


def test_a_falling_line_falls() -> None:
    pairs = np.array([[8.0, 10.0], [5.0, 7.0], [2.0, 4.0], [3.0, 6.0]])
    assert [*in_order(pairs)] == [10, 8, 7, 5, 4, 2, 3, 6]
    assert [*in_order(pairs[:1])] == [8, 10]


def test_the_finest_layer_that_reaches_over_the_view_is_picked() -> None:
    outline = layer_of(Wanted(0, 10_000, 4), np.zeros((2, 2)))
    coarse = layer_of(Wanted(1_000, 3_000, 200), np.zeros((100, 2)))
    fine = layer_of(Wanted(1_500, 2_000, None), np.arange(500, dtype=np.int16))
    layers = [outline, coarse, fine]
    assert pick(layers, 1_600, 1_900, 10_000) is fine
    assert pick(layers, 1_400, 1_900, 10_000) is coarse
    assert pick(layers, 0, 9_999, 10_000) is outline
    assert fine.values.dtype == np.float64
    assert [*outline.places] == pytest.approx([1_250, 3_750, 6_250, 8_750])
