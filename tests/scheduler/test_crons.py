"""Crons: each of their times once, whatever happens to hubs; adopted, changed and removed with the application."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps import tally, tally_crons
from scheduler.hubs import hub_beside
from synovia import FunctionError, cron
from synovia.functions.function import function_of
from synovia.functions.registry import Registry, collect
from synovia.functions.schedules import Expression, Schedule, interval
from synovia.store.base import Batch, Store, Write
from synovia.testing import Caller, Clock, TestApp

pytestmark = pytest.mark.same_tables

DAY = 86_400_000


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally_crons", [tally, tally_crons])


async def crons(caller: Caller) -> dict[str, dict[str, Any]]:
    return {each["_id"].partition(":")[2]: each for each in await caller.query("tally_crons:crons")}


def with_schedules(registry: Registry, **schedules: Schedule | None) -> Registry:
    """Give a version of the application in which crons are other ones, or none."""
    functions = dict(registry.functions)
    for name, schedule in schedules.items():
        function = next(each for path, each in functions.items() if path.endswith(f":{name}"))
        changed = object.__new__(type(function))
        changed.__dict__.update(function.__dict__, cron=schedule)
        functions[function.path] = changed
    return replace(registry, functions=functions)


async def test_an_interval_runs_each_time(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        first = (await crons(caller))["tick"]["nextRun"]
        await app.advance(timedelta(minutes=5) * 6 + timedelta(seconds=1), raise_failures=False)
        assert await caller.query("tally:times", {"name": "tick"}) == [first + n * 300_000 for n in range(6)]
        tick = (await crons(caller))["tick"]
        assert (tick["lastRun"], tick["nextRun"]) == (first + 5 * 300_000, first + 6 * 300_000)
        assert tick["lastStatus"] == "done"


async def test_a_cron_of_an_action_is_a_call_that_can_be_seen(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        app.clock.now = ((await crons(caller))["nightly"]["nextRun"] + 0.5) / 1000
        await app.advance(raise_failures=False)
        assert (await caller.query("tally:tallies"))["nightly"] == 1
        nightly = (await crons(caller))["nightly"]
        call = await caller.query("tally:call", {"callId": nightly["lastCall"]})
        assert (call["cron"], call["status"], nightly["lastStatus"]) == ("tally_crons:nightly", "done", "done")
        assert nightly["nextRun"] - nightly["lastRun"] == DAY


async def test_after_downtime_it_runs_once(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        first = (await crons(caller))["tick"]["nextRun"]
        app.clock.advance(5 * 86_400)
        await app.advance(raise_failures=False)
        tallies = await caller.query("tally:tallies")
        assert (tallies["tick"], tallies["nightly"]) == (1, 1)
        tick = (await crons(caller))["tick"]
        assert 0 < tick["nextRun"] - app.clock() * 1000 <= 300_000
        assert (tick["nextRun"] - first) % 300_000 == 0


async def test_a_cron_that_fails_says_so_and_goes_on(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        for _ in range(2):
            due = (await crons(caller))["failing_noon"]["nextRun"]
            app.clock.now = (due + 0.5) / 1000
            await app.advance(raise_failures=False)
            noon = (await crons(caller))["failing_noon"]
            assert (noon["lastRun"], noon["lastStatus"]) == (due, "failed")
            assert noon["lastError"] == {"code": "no_good", "message": "never at noon"}
            assert noon["nextRun"] > due
        assert "noon" not in await caller.query("tally:tallies")


async def test_a_cron_whose_last_call_still_runs_leaves_out_a_time(registry: Registry, any_store: Store) -> None:
    gate = tally.GATES["gate"] = tally.Gate()
    hourly = with_schedules(registry, gated=interval(timedelta(hours=1)), tick=None, nightly=None, failing_noon=None)
    async with TestApp(hourly, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        app.clock.advance(3_601)
        running = asyncio.create_task(app.advance(raise_failures=False))
        await gate.reached.wait()
        before = (await crons(caller))["gated"]
        app.clock.advance(3_601)
        await app.scheduler.renew()
        await other.advance(1, raise_failures=False)
        during = (await crons(caller))["gated"]
        left_out = {"nextRun": before["nextRun"] + 3_600_000, "plannedAt": during["plannedAt"], "hub": during["hub"]}
        assert during == before | left_out
        gate.open.set()
        await running
        assert (await crons(caller))["gated"]["lastStatus"] == "done"
        await other.advance(3_601, raise_failures=False)
        assert await caller.query("tally:tallies") == {"gate": 2}


async def test_a_changed_schedule_is_adopted_and_an_unchanged_one_kept(registry: Registry, any_store: Store) -> None:
    changed = with_schedules(registry, tick=interval(timedelta(minutes=7)), nightly=Expression("0 4 * * *"))
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        before = await crons(caller)
        app.clock.advance(60)
        now = int(app.clock() * 1000)
        async with hub_beside(app, changed) as newer:
            after = await crons(newer.caller())
            assert after["tick"]["nextRun"] == now + 7 * 60_000
            assert after["tick"]["schedule"] == "every 420000 ms"
            assert after["nightly"]["nextRun"] - before["nightly"]["nextRun"] in (3_600_000, 3_600_000 - DAY)
            assert after["failing_noon"] == before["failing_noon"]


def this_morning() -> float:
    """Tell a time of today in whose next hour no cron of a time of day is due."""
    return time.time() // 86_400 * 86_400 + 6 * 3_600


async def test_a_removed_cron_disappears(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store, clock=Clock(this_morning())) as app:
        assert "tick" in await crons(app.caller())
        async with hub_beside(app, with_schedules(registry, tick=None)) as newer:
            assert set(await crons(newer.caller())) == {"nightly", "failing_noon"}
            await newer.advance(3_600, raise_failures=False)
            assert await newer.caller().query("tally:tallies") == {}


async def test_a_hub_of_the_old_version_keeps_to_the_new_schedule(registry: Registry) -> None:
    async with TestApp(registry, clock=Clock(this_morning())) as old:
        async with hub_beside(old, with_schedules(registry, tick=interval(timedelta(minutes=7)))) as newer:
            first = (await crons(newer.caller()))["tick"]["nextRun"]
        await old.advance(3_600, raise_failures=False)
        times = await old.caller().query("tally:times", {"name": "tick"})
        late = [time - planned for time, planned in zip(times, itertools.count(first, 420_000), strict=False)]
        assert len(late) == 8
        assert 0 <= min(late) <= max(late) <= 1_000  # a hub leaves what another has adopted to that for a moment


async def test_a_row_that_another_program_has_spoilt_is_mended_at_the_next_start(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        ts, _ = await app.store.newest()
        [before] = await app.store.snapshot(ts).get("_crons", ["tally_crons:tick"])
        spoilt = {"_id": "tally_crons:tick", "nextRun": 5, "schedule": {"every": "now and then"}}
        ts = await app.store.commit(Batch([Write("_crons", "tally_crons:tick", before, spoilt)]))
        await app.engine.wait_for(ts)
        await app.scheduler.adopt()
        tick = (await crons(caller))["tick"]
        assert tick["schedule"] == "every 300000 ms"
        await app.advance(301, raise_failures=False)
        assert (await caller.query("tally:tallies"))["tick"] == 1


async def test_a_cron_can_be_called_like_any_internal_function_and_by_no_client(registry: Registry) -> None:
    function = function_of(tally_crons.tick)
    assert function is not None
    assert function.cron == interval(timedelta(minutes=5))
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as failure:
            await app.caller().mutation("tally_crons:tick")
        assert failure.value.code == "unknown_function"


def test_cron_is_part_of_the_public_face() -> None:
    import synovia

    assert synovia.cron is cron
    assert {"cron", "Retry", "ScheduledCall", "CronJob"} <= set(synovia.__all__)
