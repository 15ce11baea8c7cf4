"""When crons run: intervals, expressions, clocks that are changed, months of every length; what is no schedule."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synovia import MutationContext, QueryContext, Retry, cron, mutation, query
from synovia.errors import SchemaError
from synovia.functions.function import function_of
from synovia.functions.schedules import Expression, Interval, Schedule, daily, interval, parse

MINUTE = 60_000
BERLIN = "Europe/Berlin"


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


def runs(schedule: Schedule, after: str, count: int) -> list[str]:
    """Give the first times after a moment as they are in UTC, without the seconds."""
    now, found = ms(after), []
    for _ in range(count):
        now = schedule.first(now)
        found.append(dt.datetime.fromtimestamp(now / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M"))
    return found


def test_daily_at_a_time_in_utc() -> None:
    assert runs(daily("03:00", "UTC"), "2026-11-21T02:59:59.999+00:00", 2) == ["2026-11-21 03:00", "2026-11-22 03:00"]
    assert runs(daily("03:00", "UTC"), "2026-11-21T03:00:00+00:00", 1) == ["2026-11-22 03:00"]
    assert runs(daily("23:59", "UTC"), "2026-12-31T23:59:00.001+00:00", 1) == ["2027-01-01 23:59"]


def test_a_time_that_is_left_out_comes_right_after_the_gap() -> None:
    times = runs(daily("02:30", BERLIN), "2026-03-28T12:00:00+00:00", 2)
    assert times == ["2026-03-29 01:00", "2026-03-30 00:30"]  # 03:00 instead of 02:30, then 02:30 again


def test_a_time_that_comes_twice_is_taken_once() -> None:
    times = runs(daily("02:30", BERLIN), "2026-10-24T12:00:00+00:00", 2)
    assert times == ["2026-10-25 00:30", "2026-10-26 01:30"]


def test_within_the_hour_that_comes_twice_the_next_run_is_never_in_the_past() -> None:
    second_time = "2026-10-25T01:10:00+00:00"  # 02:10 for the second time
    assert runs(daily("02:30", BERLIN), second_time, 1) == ["2026-10-26 01:30"]


def test_minutes_go_on_in_time_that_passes_when_clocks_change() -> None:
    quarter = Expression("*/30 * * * *", BERLIN)
    assert runs(quarter, "2026-03-29T00:15:00+00:00", 3) == [
        "2026-03-29 00:30",
        "2026-03-29 01:00",
        "2026-03-29 01:30",
    ]
    assert len({*runs(quarter, "2026-10-24T23:59:00+00:00", 8)}) == 8


def test_last_days_of_months_and_the_29th_of_february() -> None:
    assert runs(Expression("0 0 L * *"), "2028-01-15T00:00:00+00:00", 3) == [
        "2028-01-31 00:00",
        "2028-02-29 00:00",
        "2028-03-31 00:00",
    ]
    assert runs(Expression("0 12 31 * *"), "2026-01-31T12:00:00+00:00", 2) == ["2026-03-31 12:00", "2026-05-31 12:00"]
    assert runs(Expression("0 0 29 2 *"), "2096-03-01T00:00:00+00:00", 1) == ["2104-02-29 00:00"]


def test_an_interval_keeps_its_rhythm_and_skips_what_was_missed() -> None:
    every = interval(dt.timedelta(minutes=5))
    planned = every.first(1_000)
    assert planned == 1_000 + 5 * MINUTE
    assert every.following(planned, planned) == planned + 5 * MINUTE
    assert every.following(planned, planned + 12 * MINUTE) == planned + 15 * MINUTE
    assert every.following(planned, planned - MINUTE) == planned + 5 * MINUTE


def test_after_downtime_an_expression_goes_on_after_now() -> None:
    schedule = daily("03:00", "UTC")
    following = schedule.following(ms("2026-11-01T03:00:00+00:00"), ms("2026-11-21T17:00:00+00:00"))
    assert following == ms("2026-11-22T03:00:00+00:00")


SCHEDULES = st.one_of(
    st.integers(1_000, 366 * 86_400_000).map(Interval),
    st.builds(
        lambda minute, hour, zone: Expression(f"{minute} {hour} * * *", zone),
        st.sampled_from(["0", "30", "*/7", "*", "1-5"]),
        st.sampled_from(["2", "3", "*", "*/6", "1,2"]),
        st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    ),
)


def test_a_schedule_is_written_as_people_read_it() -> None:
    assert str(interval(dt.timedelta(hours=1))) == "every 1 h"
    assert str(interval(dt.timedelta(days=7))) == "every 7 d"
    assert str(interval(dt.timedelta(minutes=90, seconds=1, milliseconds=5))) == "every 1 h 30 min 1 s 5 ms"
    assert str(daily("03:00", BERLIN)) == "0 3 * * * Europe/Berlin"


@given(schedule=SCHEDULES, now=st.integers(0, ms("2040-01-01T00:00:00+00:00")), late=st.integers(0, 10**9))
def test_the_next_run_lies_always_ahead_and_a_schedule_can_be_read_back(
    schedule: Schedule, now: int, late: int
) -> None:
    first = schedule.first(now)
    assert first > now
    assert schedule.following(first, first + late) > first + late
    assert parse(schedule.text) == schedule


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"expression": "0 3 * *"},
        {"expression": "* * * * * *"},
        {"expression": "61 * * * *"},
        {"expression": "0 3 31 2 *"},
        {"expression": "0 0 30 2 *"},
        {"expression": "@daily"},
        {"expression": "ä ö ü ß ?"},
        {"expression": ""},
        {"expression": "0 3 * * *", "tz": "Europe/Atlantis"},
        {"expression": "0 3 * * *", "tz": "../../etc/passwd"},
        {"expression": "0 3 * * *", "tz": ""},
        {"expression": "0 3 * * *", "daily_at": "03:00"},
        {"daily_at": "3:00"},
        {"daily_at": "24:00"},
        {"daily_at": "03:60"},
        {"daily_at": "03:00\n"},
        {"every": dt.timedelta(0)},
        {"every": dt.timedelta(milliseconds=999)},
        {"every": -dt.timedelta(days=1)},
        {"every": dt.timedelta(days=367)},
        {"every": dt.timedelta(hours=1), "tz": BERLIN},
    ],
)
def test_what_is_no_schedule_is_refused_where_it_is_declared(options: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        cron(options.pop("expression", None), **options)


def test_only_mutations_and_actions_without_needed_arguments_are_crons() -> None:
    @mutation(internal=True)
    async def with_default(ctx: MutationContext, limit: int = 5) -> None: ...

    @mutation(internal=True)
    async def with_argument(ctx: MutationContext, limit: int) -> None: ...

    @query(public=True)
    async def reading(ctx: QueryContext) -> None: ...

    async def undeclared(ctx: MutationContext) -> None: ...

    nightly = cron(daily_at="03:00")
    function = function_of(nightly(with_default))
    assert function is not None
    assert function.cron == Expression("0 3 * * *")
    for body in (with_argument, reading, undeclared, with_default):
        with pytest.raises(SchemaError):
            nightly(body)


def test_retries_wait_longer_each_time_up_to_a_limit() -> None:
    policy = Retry(attempts=9, first=dt.timedelta(seconds=1), factor=3, limit=dt.timedelta(seconds=20))
    for failures, longest in enumerate([1_000, 3_000, 9_000, 20_000, 20_000], 1):
        waits = {policy.delay(failures, random.Random(seed)) for seed in range(200)}
        assert max(waits) <= longest
        assert min(waits) >= 0.75 * longest
        assert len(waits) > 100


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": 10**6},
        {"first": dt.timedelta(0)},
        {"first": dt.timedelta(days=1)},
        {"factor": 0.5},
        {"factor": float("nan")},
        {"factor": float("inf")},
    ],
)
def test_what_is_no_policy_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        Retry(**options)
