"""Samples of a growing session: however its segments are cut, joined and told again, each sample is fetched once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synovia_client.sample_buffer import SampleBuffer, Segment
from synovia_protocol.arrays import ref_of

SAMPLES = np.arange(1_000.0)


def segments(cuts: list[int]) -> list[Segment]:
    return [Segment(first, {"a": ref_of(SAMPLES[first:last])}) for first, last in pairwise(cuts)]


@given(st.lists(st.lists(st.integers(1, 999), max_size=8), min_size=1, max_size=8), st.none() | st.integers(1, 300))
def test_each_sample_is_fetched_once(tellings: list[list[int]], keep: int | None) -> None:
    buffer = SampleBuffer(["a"], keep)
    fetched: list[Any] = []
    for telling in tellings:
        told = segments(sorted({0, *telling}))
        for segment, start, stop in buffer.missing(told):
            first, last = segment.start + start, segment.start + stop
            fetched += range(first, last)
            assert buffer.put(first, {"a": SAMPLES[first:last]})
        assert buffer.missing(told) == []
    assert fetched == list(range(buffer.end))
    assert np.array_equal(buffer.values("a", 0, 10_000), SAMPLES[buffer.begin : buffer.end])
    if keep is not None:
        assert min(keep, buffer.end) <= len(buffer) <= max(2 * keep, 999)


def test_gaps_and_what_is_here_already_are_refused_and_what_was_given_stays() -> None:
    buffer = SampleBuffer(["a"], keep=10)
    buffer.restart(100)
    assert buffer.missing(segments([200, 300])) == []
    assert not buffer.put(105, {"a": SAMPLES[:5]})
    assert buffer.put(95, {"a": SAMPLES[95:110]})
    assert not buffer.put(95, {"a": SAMPLES[95:110]})
    given_out = buffer.values("a", 100, 110)
    assert buffer.put(110, {"a": SAMPLES[110:140]})
    assert (buffer.begin, buffer.end) == (130, 140)
    assert [*given_out] == [*SAMPLES[100:110]]
    assert len(buffer.values("a", 0, 120)) == 0


def test_samples_of_a_segment_are_here_only_if_those_of_all_series_are() -> None:
    part = SAMPLES[:7]
    assert Segment(3, {"a": part, "b": part[:5]}).stop == 8
    assert Segment(3, {"a": ref_of(part), "b": part[:5]}).stop == 8
    assert Segment(3, {"a": ref_of(part), "b": part[:5]}).samples is None
    here = Segment(3, {"a": part, "b": part[:5]}).samples
    assert here is not None
    assert [len(each) for each in here.values()] == [7, 5]
