"""Clocks that are wrong for a while and are set right again: nothing waits for a time that never was, or runs twice."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from apps import tally, tally_crons
from helpers.patience import PATIENCE
from scheduler.hubs import hub_beside, lose
from scheduler.scheduled import later, running, until_there_are
from synovia.clock_jumps import JumpGuard
from synovia.functions.registry import Registry, collect
from synovia.functions.schedules import Expression, daily, interval
from synovia.scheduler.clocks import DOUBT_SECONDS, TAKEOVER, Plan, Plans
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Batch, Store, Write
from synovia.store.mongo import MongoStore
from synovia.testing import Clock, TestApp

pytestmark = pytest.mark.same_tables

YEAR = 366 * 86_400
FIVE_MINUTES = 300
LEASE = SchedulerSettings().lease


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally_crons", [tally, tally_crons])


@asynccontextmanager
async def ahead(app: TestApp, seconds: float = YEAR) -> AsyncIterator[None]:
    """Have the clock be wrong while the block runs."""
    app.clock.advance(seconds)
    app.engine.live.expiries.look()
    yield
    app.clock.advance(-seconds)
    app.engine.live.expiries.look()


async def ticks(app: TestApp) -> list[int]:
    times: list[int] = await app.caller().query("tally:times", {"name": "tick"})
    return times


async def job(app: TestApp) -> dict[str, Any]:
    found: list[dict[str, Any]] = await app.caller().query("tally_crons:crons")
    return next(each for each in found if each["_id"] == "tally_crons:tick")


async def state(app: TestApp, call_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await app.caller().query("tally:call", {"callId": call_id})
    return found


# --- crons ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [5, 3_600, YEAR])
async def test_a_cron_goes_on_in_its_rhythm_when_the_clock_is_right_again(
    registry: Registry, any_store: Store, seconds: int
) -> None:
    async with TestApp(registry, any_store) as app:
        first = (await job(app))["nextRun"]
        await app.advance(FIVE_MINUTES - 1, raise_failures=False)
        async with ahead(app, seconds):
            await app.advance(raise_failures=False)  # other crons are due too, and one of them always fails
        early = len(await ticks(app))
        assert early == 1
        await app.advance(3 * FIVE_MINUTES, raise_failures=False)
        times = (await ticks(app))[early:]
        assert [(time - first) % 300_000 for time in times] == [0] * len(times)
        assert len(times) >= 2


async def test_another_hub_takes_a_cron_over_whose_hub_planned_it_ahead_and_died(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        async with ahead(app), hub_beside(app) as wrong:
            await wrong.advance(raise_failures=False)
        assert (await job(app))["nextRun"] > app.clock() * 1000 + 300 * 86_400_000
        ran = len(await ticks(app))
        await app.advance(2 * FIVE_MINUTES + TAKEOVER / 1000 + 1, raise_failures=False)
        assert len(await ticks(app)) >= ran + 1
        await app.advance(FIVE_MINUTES, raise_failures=False)
        assert len(await ticks(app)) >= ran + 2


async def test_a_hub_that_is_started_later_finds_it_too(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        async with ahead(app):
            await app.advance(raise_failures=False)
        ran = len(await ticks(app))
        async with hub_beside(app) as restarted:
            await restarted.advance(2 * FIVE_MINUTES + TAKEOVER / 1000 + 1, raise_failures=False)
            assert len(await ticks(app)) >= ran + 1


async def test_a_row_of_an_earlier_version_is_told_by_its_last_run(registry: Registry) -> None:
    async with TestApp(registry) as app:
        [before] = await app.store.snapshot(app.engine.head).get("_crons", ["tally_crons:tick"])
        assert before is not None
        now = int(app.clock() * 1000)
        after = {**before, "lastRun": now + 1000 * YEAR, "nextRun": now + 1000 * YEAR + 300_000}
        del after["plannedAt"]
        await app.engine.wait_for(await app.store.commit(Batch([Write("_crons", "tally_crons:tick", before, after)])))
        await app.advance(2 * FIVE_MINUTES + 1, raise_failures=False)
        assert len(await ticks(app)) in (1, 2)


@pytest.mark.mongodb
async def test_of_two_hubs_whose_clocks_differ_by_an_hour_a_cron_runs_once_each_time(
    registry: Registry, mongodb_uri: str, database_name: str
) -> None:
    """The one that is ahead runs it; the other one finds its plans in the future, and leaves it alone."""
    async with TestApp(registry, MongoStore(mongodb_uri, database_name)) as app, hub_beside(app) as other:
        other.clock = Clock(app.clock() + 3_600)
        other.engine._executor._clock = other.scheduler._clock = other.clock
        for _ in range(80):  # twenty minutes by both
            await other.advance(15, raise_failures=False)
            await app.advance(15, raise_failures=False)
        times = await ticks(app)
        assert len(times) in (4, 5)
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {300_000}


# --- calls ------------------------------------------------------------------------------------------------------------


async def test_a_delay_that_was_begun_ahead_is_waited_for_once(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        for _ in range(100):
            await later(app.caller(), "tally:add", 30 * 86_400, name="far")  # more than are looked at
        async with ahead(app):
            call_id = await later(app.caller(), "tally:add", 60, name="a")
        await app.advance(1, raise_failures=False)
        assert (await state(app, call_id))["status"] == "pending"
        await app.advance(60, raise_failures=False)
        assert (await state(app, call_id))["status"] == "done"
        assert (await app.caller().query("tally:tallies"))["a"] == 1


async def test_a_time_that_was_given_is_kept(registry: Registry) -> None:
    async with TestApp(registry) as app:
        when = int(app.clock() * 1000) + 10_000_000
        async with ahead(app, 5_000):
            await app.caller().mutation("tally:at", {"when": when, "path": "tally:add"})
        await app.advance(9_999, raise_failures=False)
        assert "at" not in await app.caller().query("tally:tallies")
        await app.advance(1, raise_failures=False)
        assert (await app.caller().query("tally:tallies"))["at"] == 1


async def test_the_wait_for_another_attempt_is_that_long(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        async with ahead(app):
            await later(app.caller(), "tally:add_thrice", name="a")
            await app.advance(raise_failures=False)
        await app.advance(120, raise_failures=False)
        assert (await app.caller().query("tally:tallies"))["a"] == 3


async def test_a_lease_that_was_taken_ahead_ends_with_its_hub(registry: Registry, any_store: Store) -> None:
    tally.GATES["g"] = gate = tally.Gate()
    async with TestApp(registry, any_store) as app:
        async with ahead(app), hub_beside(app) as lost:
            call_id = await later(lost.caller(), "tally:gated_twice", name="g")
            claiming = asyncio.create_task(lost.advance(raise_failures=False))
            await gate.reached.wait()
            await asyncio.gather(claiming, lose(lost))
        gate.open.set()
        await app.advance(LEASE - 1, raise_failures=False)
        assert (await state(app, call_id))["status"] == "running"
        await app.advance(TAKEOVER / 1000 + 2, raise_failures=False)
        assert (await state(app, call_id))["status"] == "done"


async def test_a_clock_that_is_set_back_makes_nothing_run_again(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        await later(app.caller(), "tally:add", 60, name="a")
        await app.advance(61, raise_failures=False)
        async with ahead(app, -3_600):
            await app.advance(120, raise_failures=False)
            await app.advance(3_600, raise_failures=False)
        assert (await app.caller().query("tally:tallies"))["a"] == 1


# --- a jump forward ---------------------------------------------------------------------------------------------------


def test_a_jump_forward_is_doubted_for_a_while() -> None:
    day, steady = Clock(1e9), Clock(0.0)
    guard = JumpGuard(day, steady, DOUBT_SECONDS, "it")
    for clock in (day, steady):
        clock.advance(3_600)
    assert guard.doubt() == 0
    day.advance(60)
    assert guard.doubt() == DOUBT_SECONDS
    for clock in (day, steady):
        clock.advance(4)
    assert guard.doubt() == DOUBT_SECONDS - 4
    day.advance(60)
    assert guard.doubt() == DOUBT_SECONDS
    day.advance(-60)
    assert guard.doubt() == DOUBT_SECONDS, "it is as far ahead as after the first of them"
    day.advance(-60)
    assert guard.doubt() == 0
    day.advance(1)  # set by a little, as clocks are
    assert guard.doubt() == 0


def test_what_was_believed_of_a_jump_need_not_be_taken_back() -> None:
    day, steady = Clock(1e9), Clock(0.0)
    guard = JumpGuard(day, steady, DOUBT_SECONDS, "it")
    day.advance(3_600)
    assert guard.doubt() == DOUBT_SECONDS
    for clock in (day, steady):
        clock.advance(DOUBT_SECONDS)
    assert guard.doubt() == 0
    day.advance(100)
    assert guard.doubt() == DOUBT_SECONDS
    day.advance(-100)
    assert guard.doubt() == 0


async def test_nothing_runs_that_only_a_jump_has_made_due(
    registry: Registry, any_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("synovia.engine.expiries.LONGEST_SLEEP", 0.01)
    async with running(registry, any_store) as app, asyncio.timeout(PATIENCE):
        steady = Clock(0.0)
        app.scheduler._guard = JumpGuard(app.clock, steady, DOUBT_SECONDS, "it")
        far = await later(app.caller(), "tally:add", 30 * 86_400, name="far")
        with caplog.at_level(logging.WARNING, "synovia"):
            app.clock.advance(31 * 86_400)
            while "forward" not in caplog.text:  # noqa: ASYNC110 (a log tells nobody)
                await asyncio.sleep(0)
            app.clock.advance(-31 * 86_400)
        await later(app.caller(), "tally:add", name="now")
        await until_there_are(app, "done", 1)
        assert (await app.caller().query("tally:tallies")).keys() == {"now"}
        assert (await state(app, far))["status"] == "pending"


async def test_a_jump_that_stays_is_believed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.engine.expiries.LONGEST_SLEEP", 0.01)
    async with running(registry) as app:
        app.scheduler._guard = JumpGuard(app.clock, asyncio.get_running_loop().time, 0.05, "it")
        call_id = await later(app.caller(), "tally:add", 30 * 86_400, name="far")
        app.clock.advance(31 * 86_400)
        await until_there_are(app, "done", 1)
        assert (await state(app, call_id))["status"] == "done"


async def test_a_clock_that_moves_on_while_the_loop_stands_still_is_noticed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that slept: the loop's own time did not pass."""
    monkeypatch.setattr("synovia.engine.expiries.LONGEST_SLEEP", 0.01)
    async with running(registry) as app:
        await later(app.caller(), "tally:add", 3_600, name="a")
        app.clock.advance(3_601)
        await until_there_are(app, "done", 1)


# --- parts ------------------------------------------------------------------------------------------------------------


def test_a_plan_of_the_past_holds_and_one_of_the_future_is_waited_for_from_when_it_is_seen() -> None:
    plans = Plans("own", alone=False)

    def due(plan: Plan, now: int) -> int:
        plans.look(now)
        return plans.due_at("x", plan, now)

    assert due(Plan(1_100, 1_000, "own"), 1_000) == 1_100
    assert due(Plan(900_100, None, "own"), 1_000) == 900_100
    own, other = Plan(900_100, 900_000, "own"), Plan(900_100, 900_000, "other")
    assert [due(own, now) for now in (1_000, 1_050, 1_200, 500)] == [1_100, 1_100, 1_100, 600]
    assert [due(other, now) for now in (1_000, 1_050)] == [1_100 + TAKEOVER] * 2
    assert due(Plan(900_200, 900_100, "other"), 2_000) == 2_100 + TAKEOVER  # it lives: its plan has changed
    assert due(other, 899_000) == 900_100  # the time has nearly come
    assert Plans("own", alone=True).due_at("x", other, 1_000) == 1_100


def test_a_cron_that_another_hub_has_planned_ahead_is_left_to_it_for_the_time_that_it_planned() -> None:
    daily_at_3, hour, day = daily("03:00", "UTC"), 3_600_000, 86_400_000

    def due(plan: Plan, now: int) -> int:
        plans = Plans("own", alone=False)
        plans.look(now)
        return plans.due_at("x", plan, now, partial(daily_at_3.resumed, plan.due_at))

    year = 365 * day
    assert due(Plan(year + 27 * hour, year + 3 * hour, "own"), 2 * hour) == 3 * hour
    assert due(Plan(year + 27 * hour, year + 3 * hour, "other"), 2 * hour) == 27 * hour + TAKEOVER


def test_a_schedule_is_resumed_at_its_next_time() -> None:
    every = interval(timedelta(minutes=5))
    for now in (0, 1, 299_999, 300_000, 300_001):
        resumed = every.resumed(7 + 300_000 * 100_000, now)
        assert 0 < resumed - now <= 300_000
        assert resumed % 300_000 == 7
    assert daily("03:00", "UTC").resumed(10**12, 0) == 3 * 3_600_000
    assert Expression("*/5 * * * *").resumed(10**12, 300_000) == 600_000
