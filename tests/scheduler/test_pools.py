"""Pools: actions that wait in a line of their own, with places of their own, at each hub or across all."""

from __future__ import annotations

import asyncio
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from apps import pooled
from helpers.waiting import until
from scheduler.hubs import hub_beside, lose
from synovia import Pool
from synovia.cli.commands import app as commands
from synovia.errors import SchemaError
from synovia.functions.registry import Registry, collect, load_application
from synovia.health import Level
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Store
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

LEASE = SchedulerSettings().lease


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("pooled", [pooled])


async def plan(app: TestApp, path: str, times: int = 1) -> None:
    await app.caller().mutation("pooled:plan", {"path": f"pooled:{path}", "times": times})


async def statuses(app: TestApp, status: str) -> int:
    return len(await app.caller().query("pooled:calls", {"status": status}))


def running(app: TestApp) -> asyncio.Task[None]:
    return asyncio.create_task(app.advance())


@pytest.mark.slow
@pytest.mark.alike
async def test_what_is_slow_holds_up_only_its_own_pool(app: TestApp, watch: pooled.Watch) -> None:
    await plan(app, "paint", 200)  # more than are looked at of one queue
    await plan(app, "send_mail", 20)
    task = running(app)
    await watch.until("pictures", 2)
    async with app.caller().subscribe("pooled:calls", {"status": "done"}) as sent:
        async for calls in sent:
            if len(calls) == 20:
                break
    assert len(app.mails) == 20
    assert (watch.running["pictures"], await statuses(app, "running")) == (2, 2)
    watch.open.set()
    await task
    assert (await app.caller().query("pooled:done"))["picture"] == 200
    assert watch.most["pictures"] == 2


async def test_what_finds_no_place_for_long_is_told(app: TestApp, watch: pooled.Watch) -> None:
    assert (await app.scheduler.health()).figures["scheduledLate"] == 0.0
    await plan(app, "paint", 3)
    app.scheduler.start()
    await watch.until("pictures", 2)
    app.clock.advance(59)
    health = await app.scheduler.health()
    assert (health.status, health.figures["scheduledCalls"], health.figures["scheduledLate"]) == ("ok", 2, 59.0)
    app.clock.advance(2)
    health = await app.scheduler.health()
    assert (health.status, health.level) == ("what is due has been waiting for a place for 61 s", Level.DEGRADED)
    watch.open.set()
    async with app.caller().subscribe("pooled:done") as done:
        async for count in done:
            if count.get("picture") == 3:
                break
    await until(lambda: app.scheduler._health.waits_since is None)
    assert (await app.scheduler.health()).level is Level.OK
    await app.scheduler.stop()


async def test_what_is_due_and_cannot_be_read_is_told(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.scheduler.start()
    noticed = app.scheduler._health
    await until(lambda: len(noticed.live) == 2 and all(each.loaded for each in noticed.live))
    [*_, live] = noticed.live
    assert (await app.scheduler.health()).status == "ok"
    live.dirty_at = live.ran_at + 1
    assert (await app.scheduler.health()).status == "ok", "it may just have changed"
    seen = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: seen + 40)
    health = await app.scheduler.health()
    assert (health.status, health.level) == ("what is due has not been read for 40 s", Level.FAILING)
    monkeypatch.undo()
    live.dirty_at = None
    await app.scheduler.stop()


async def test_what_waits_in_a_pool_has_only_its_like_read_less_often(app: TestApp, watch: pooled.Watch) -> None:
    await plan(app, "paint", 3)
    app.scheduler.start()
    await watch.until("pictures", 2)
    await until(lambda: app.scheduler._health.waits_since is not None)
    assert [due.query.rest > 0 for due in app.scheduler._due] == [False, True]
    watch.open.set()
    await app.scheduler.stop()


async def test_each_hub_has_the_places_of_a_pool(app: TestApp, watch: pooled.Watch) -> None:
    async with hub_beside(app) as other:
        await plan(app, "paint", 10)
        app.clock.advance(1)
        tasks = [running(app), running(other)]
        await watch.until("pictures", 4)
        watch.open.set()
        await asyncio.gather(*tasks)
        assert watch.most["pictures"] == 4
        assert (await app.caller().query("pooled:done"))["picture"] == 10


@pytest.mark.slow
async def test_a_pool_across_hubs_has_its_places_once(app: TestApp, watch: pooled.Watch) -> None:
    async with hub_beside(app) as other, hub_beside(app) as third:
        await plan(app, "ask_service", 20)
        app.clock.advance(1)
        hubs = [app, other, third]
        for each in hubs:
            each.scheduler.start()
        await watch.until("service", 3)
        assert await statuses(app, "running") == 3
        watch.open.set()
        async with app.caller().subscribe("pooled:done") as done:
            async for count in done:
                if count.get("answer") == 20:
                    break
        assert watch.most["service"] == 3


async def test_the_places_of_a_lost_hub_are_free_when_its_lease_ends(app: TestApp, watch: pooled.Watch) -> None:
    async with hub_beside(app) as other:
        await plan(app, "ask_service", 5)
        task = running(app)
        await watch.until("service", 3)
        await asyncio.gather(task, lose(app))
        await other.advance(1)
        assert (await statuses(app, "running"), watch.running["service"]) == (3, 0)
        watch.open.set()
        await other.advance(LEASE + 1)
        assert (await app.caller().query("pooled:done"))["answer"] == 5
        assert watch.most["service"] == 3


async def test_another_attempt_waits_in_the_same_pool(app: TestApp) -> None:
    await plan(app, "ask_in_vain")
    await app.advance()
    [waiting] = await app.caller().query("pooled:calls", {"status": "pending"})
    assert (waiting["pool"], waiting["queue"], waiting["attempts"]) == ("service", "action:service", 1)
    await app.advance(10, raise_failures=False)
    assert await app.caller().query("pooled:done") == {"attempt": 3}


async def test_a_cron_may_run_in_a_pool(app: TestApp, watch: pooled.Watch) -> None:
    await plan(app, "paint", 5)
    app.clock.advance(3_601)
    task = running(app)
    await watch.until("pictures", 2)
    assert "hour" not in await app.caller().query("pooled:done")
    watch.open.set()
    await task
    assert await app.caller().query("pooled:done") == {"picture": 5, "hour": 1}


# --- versions of the application --------------------------------------------------------------------------------------


def with_pools(registry: Registry, pools: dict[str, Pool], **chosen: str | None) -> Registry:
    """Give a version of the application with other pools."""
    functions = dict(registry.functions)
    for name, pool in chosen.items():
        changed = object.__new__(type(functions[f"pooled:{name}"]))
        changed.__dict__.update(functions[f"pooled:{name}"].__dict__, pool=pool)
        functions[f"pooled:{name}"] = changed
    return replace(registry, functions=functions, pools=pools)


async def test_calls_of_a_pool_that_is_gone_run_where_their_function_runs_now(
    registry: Registry, any_store: Store, watch: pooled.Watch
) -> None:
    watch.open.set()
    slow = Pool("slow", parallelism=1)
    newer = with_pools(registry, {"slow": slow}, paint="slow", ask_service=None, ask_in_vain=None, hourly="slow")
    async with TestApp(registry, any_store) as app, hub_beside(app, newer) as other:
        await plan(app, "paint", 3)
        await plan(app, "ask_service", 3)
        await other.advance(1)
        assert await app.caller().query("pooled:done") == {"picture": 3, "answer": 3}
        assert watch.most["pictures"] == 1


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chosen", "expected"), [({"pictures": 5}, 5), ({}, 2)])
async def test_the_settings_of_a_hub_say_another_number(
    registry: Registry, watch: pooled.Watch, chosen: dict[str, int], expected: int
) -> None:
    async with TestApp(registry, scheduler=SchedulerSettings(pools=chosen)) as app:
        await plan(app, "paint", 8)
        task = running(app)
        await watch.until("pictures", expected)
        watch.open.set()
        await task
        assert watch.most["pictures"] == expected


async def test_a_hub_may_run_nothing_of_a_pool(registry: Registry, any_store: Store, watch: pooled.Watch) -> None:
    watch.open.set()
    async with TestApp(registry, any_store, scheduler=SchedulerSettings(pools={"pictures": 0})) as app:
        await plan(app, "paint", 3)
        await app.advance(10)
        assert await app.caller().query("pooled:done") == {}
        async with hub_beside(app) as other:
            await other.advance(1)
        assert await app.caller().query("pooled:done") == {"picture": 3}


async def test_no_hub_runs_more_of_a_shared_pool_than_all_may(registry: Registry, watch: pooled.Watch) -> None:
    async with TestApp(registry, scheduler=SchedulerSettings(pools={"service": 10})) as app:
        await plan(app, "ask_service", 8)
        task = running(app)
        await watch.until("service", 3)
        watch.open.set()
        await task
        assert watch.most["service"] == 3


def test_settings_that_name_no_pool_are_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no pool 'picture'; the application has: pictures, service"):
        TestApp(registry, scheduler=SchedulerSettings(pools={"picture": 1}))
    (tmp_path / "empty_app.py").write_text("")
    env = {"SYNOVIA_SCHEDULER_POOLS": '{"a": 1}'}
    ended = CliRunner().invoke(
        commands, ["serve", str(tmp_path / "empty_app.py"), "--store", "sqlite://:memory:"], env=env
    )
    assert (ended.exit_code, "SYNOVIA_SCHEDULER_POOLS: there is no pool 'a'" in ended.output) == (2, True)


# --- declarations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parallelism"),
    [("", 1), ("Pictures", 1), ("a b", 1), (5, 1), ("x" * 70, 1), ("a", 0), ("a", 1.5), ("a", True)],
)
def test_what_cannot_be_a_pool_is_refused(name: Any, parallelism: Any) -> None:
    with pytest.raises(SchemaError):
        Pool(name, parallelism=parallelism)


def application(folder: Path, **modules: str) -> Registry:
    for name, text in modules.items():
        (folder / f"{name}.py").write_text("from synovia import ActionContext, Pool, action\n" + text)
    return load_application(folder)


ACTION = "@action(internal=True, pool='slow')\nasync def work(ctx: ActionContext) -> None: ...\n"


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    place = tmp_path / f"app_{abs(hash(request.node.name))}"
    place.mkdir()
    yield place
    for name in [name for name in sys.modules if name.partition(".")[0] == place.name]:
        del sys.modules[name]


def test_a_pool_may_stand_in_any_module_and_be_imported(folder: Path) -> None:
    one = f"from {folder.name}.pools import SLOW\n" + ACTION.replace("'slow'", "SLOW")
    registry = application(folder, pools="SLOW = Pool('slow', parallelism=1)\n", one=one, two=ACTION)
    assert list(registry.pools) == ["slow"]
    assert {function.pool for function in registry.functions.values()} == {"slow"}


def test_a_pool_that_is_not_there_and_two_of_one_name_are_refused_with_their_places(folder: Path) -> None:
    with pytest.raises(SchemaError, match=r"one\.py:2: one:work: there is no pool 'slow'"):
        application(folder, one=ACTION)
    twice = "SLOW = Pool('slow', parallelism=1)\n"
    (folder / "one.py").unlink()
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]
    with pytest.raises(SchemaError, match=r"two pools are named 'slow': .*a\.py:2 and .*b\.py:2"):
        application(folder, a=twice, b=twice)


def test_pools_are_found_in_modules_that_are_given() -> None:
    module = types.ModuleType("given")
    module.__dict__["P"] = Pool("p", parallelism=1)
    assert list(collect("given", [module]).pools) == ["p"]
