"""The clock of ids: always forward, close to the time of day, and told by the ids themselves."""

from __future__ import annotations

from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from synovia.schema import IdClock, RunIds, time_of_id
from synovia.schema.ids import make_id, reading_at

NOW = 1_790_000_000_123
times = st.integers(-(10**13), 10**14)


@given(st.lists(st.tuples(times, st.booleans()), min_size=1, max_size=50))
def test_every_reading_is_greater_than_all_before(steps: list[tuple[int, bool]]) -> None:
    now = NOW
    clock, heard = IdClock(lambda: now), 0
    made: list[ObjectId] = []
    for time, foreign in steps:
        if foreign:
            heard = reading_at(max(time, 0))
            clock.advance(heard)
        else:
            now = time
            made.append(make_id(clock.next()))
            assert clock.reading > min(heard, reading_at(4 * 10**12))
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_tells_its_time() -> None:
    clock = IdClock(lambda: NOW)
    ids = [RunIds(clock).make() for _ in range(1000)]
    assert {time_of_id(str(id_)) for id_ in ids} == {NOW}
    assert {id_.generation_time.timestamp() for id_ in ids} == {NOW // 1000}


def test_more_ids_than_a_millisecond_has_readings_stay_in_order() -> None:
    clock = IdClock(lambda: NOW)
    ids = [make_id(clock.next()) for _ in range(40_000)]
    assert ids == sorted(set(ids))
    assert time_of_id(str(ids[-1])) in (NOW + 2, NOW + 3)


def test_two_hubs_with_one_reading_make_different_ids() -> None:
    reading = reading_at(NOW)
    assert len({make_id(reading) for _ in range(1000)}) == 1000


def test_ids_of_other_programs_tell_the_second() -> None:
    assert (time_of_id(str(ObjectId())) or 0) // 1000 == int(ObjectId().generation_time.timestamp())
    assert time_of_id("messages:send") is None


def test_a_clock_beyond_the_century_does_not_end_the_ids() -> None:
    clock = IdClock(lambda: 10**15)
    ids = [make_id(clock.next()) for _ in range(100)]
    assert ids == sorted(ids)
