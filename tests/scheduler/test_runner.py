"""The runner as a hub has it: by itself, following the agenda; what it costs when nothing is due; what it says of itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from apps import tally, tally_crons
from helpers.charges import Counted
from helpers.health import health_of
from helpers.patience import PATIENCE
from helpers.sync_server import serving
from scheduler.scheduled import later, running, until_there_are
from synovia.functions.registry import Registry, collect
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Batch, Store, StoreUnavailable, Ts
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally", [tally])


@pytest.mark.slow
async def test_it_runs_what_is_due_and_what_comes_due(registry: Registry, any_store: Store) -> None:
    async with running(registry, any_store) as app:
        caller = app.caller()
        await later(caller, "tally:add", times=100, name="now")
        await later(caller, "tally:add_by_action", times=20, name="action")
        await later(caller, "tally:add", 3_600, name="later")
        await until_there_are(app, "done", 120)
        assert await caller.query("tally:tallies") == {"now": 100, "action": 20}
        app.clock.advance(3_600)
        app.engine.live.expiries.look()  # as the alarm of the live query does when the time has come
        await until_there_are(app, "done", 121)
        assert (await caller.query("tally:tallies"))["later"] == 1


async def test_what_it_runs_is_charged_to_a_share_of_its_own_in_which_each_call_waits_for_its_turn(
    registry: Registry,
) -> None:
    async with TestApp(registry) as app:
        assert app.scheduler.payer_of(None) is app.server.hub.addresses.application
        payer = Counted()
        app.scheduler.payer_of = lambda cause: payer
        await later(app.caller(), "tally:add", times=3, name="now")
        assert payer.admitted == 0
        await app.scheduler.settle()
        assert payer.admitted == 3
        assert payer.cost > 0


async def test_what_waits_costs_no_reads(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(registry) as app:
        caller, read = app.caller(), Counter[str]()
        await later(caller, "tally:add", 3_600, times=30, name="later")
        await later(caller, "tally:add", name="now")
        await until_there_are(app, "done", 1)
        snapshots = type(app.store.snapshot(app.engine.head))
        scan = snapshots.scan

        async def counted(self: Any, table: str, *args: Any, **options: Any) -> Any:
            read[table] += 1
            return await scan(self, table, *args, **options)

        monkeypatch.setattr(snapshots, "scan", counted)
        for number in range(50):  # whether there is one of each name is looked up
            await caller.mutation("tally:add", {"name": f"unrelated {number}"})
        assert read["tallies"] >= 50
        assert (read["_scheduled"], read["_crons"]) == (0, 0)


async def test_calls_outlive_a_restart(registry: Registry, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    async with TestApp(registry, store) as app:
        await later(app.caller(), "tally:add", times=10, name="kept")
        await later(app.caller(), "tally:add_by_action", times=10, name="kept")
    async with running(registry, store) as app:
        app.clock.advance(1)  # a new hub leaves what another has scheduled to that for a moment
        app.engine.live.expiries.look()
        await until_there_are(app, "done", 20)
        assert await app.caller().query("tally:tallies") == {"kept": 20}


async def test_a_call_whose_commit_was_not_acknowledged_runs_once(
    registry: Registry, any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(registry, any_store) as app:
        commit, lost = app.store.commit, 0

        async def commit_and_lose(batch: Batch) -> Ts:
            nonlocal lost
            ts = await commit(batch)
            if lost < 3 and any(write.table == "tallies" for write in batch.writes):
                lost += 1
                raise StoreUnavailable("the acknowledgement was lost")
            return ts

        monkeypatch.setattr(app.store, "commit", commit_and_lose)
        await later(app.caller(), "tally:add", times=5, name="once")
        await until_there_are(app, "done", 5)
        assert lost > 0
        assert await app.caller().query("tally:tallies") == {"once": 5}


async def test_a_database_that_is_away_for_a_while_delays_calls_and_fails_none(
    registry: Registry, any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(registry, any_store) as app:
        await later(app.caller(), "tally:add", 3_600, times=5, name="a")
        snapshot, refused, back = app.store.snapshot, 0, asyncio.Event()

        def away(ts: Ts) -> Any:
            nonlocal refused
            refused += 1
            if refused < 8:
                raise StoreUnavailable("the database is away")
            back.set()
            return snapshot(ts)

        monkeypatch.setattr(app.store, "snapshot", away)
        monkeypatch.setattr(
            "synovia.engine.live_queries.RETRY_SECONDS", 0.001
        )  # by itself it waits for longer and longer
        app.clock.advance(3_600)
        app.engine.live.expiries.look()
        async with asyncio.timeout(PATIENCE):
            await back.wait()
        await until_there_are(app, "done", 5)
        assert await app.caller().query("tally:tallies") == {"a": 5}


async def test_health_tells_of_a_scheduler_that_has_died(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as hub:
        assert (await health_of(hub.port))[1]["scheduler"] == "ok"
        task = next(task for task in asyncio.all_tasks() if task.get_name() == "scheduler")
        task.cancel()
        await asyncio.wait([task])
        status, report = await health_of(hub.port)
        assert (status, report["status"], report["scheduler"]) == (503, "failing", "not running")


async def test_health_tells_of_a_scheduler_that_cannot_work_and_of_its_recovery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as hub:
        adopt, scheduler = hub.app.scheduler.adopt, hub.app.scheduler

        async def broken() -> None:
            raise RuntimeError("no good")

        monkeypatch.setattr(scheduler, "adopt", broken)
        monkeypatch.setattr("synovia.tasks.RESTART_SECONDS", 0.01)
        await scheduler.stop()
        scheduler.start()
        async with asyncio.timeout(PATIENCE):
            while (await health_of(hub.port))[1]["scheduler"] != "RuntimeError: no good":
                pass
            monkeypatch.setattr(scheduler, "adopt", adopt)
            while (await health_of(hub.port))[1]["scheduler"] != "ok":
                pass


async def test_a_hub_whose_scheduler_is_off_says_so_and_is_healthy() -> None:
    async with serving(settings={"scheduler": SchedulerSettings(enabled=False)}) as hub:
        status, report = await health_of(hub.port)
        assert (status, report["scheduler"]) == (200, "off")


async def test_a_hub_whose_scheduler_is_off_runs_nothing_and_schedules_for_others(any_store: Store) -> None:
    registry = collect("tally_crons", [tally, tally_crons])
    async with running(registry, any_store, enabled=False) as app:
        await later(app.caller(), "tally:add", name="a")
        app.clock.advance(3_600)
        app.engine.live.expiries.look()
        await app.caller().mutation("tally:add", {"name": "b"})
        assert len(app.engine.live) == 0
        assert await app.caller().query("tally:tallies") == {"b": 1}
