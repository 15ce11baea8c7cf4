"""Actions to come: claimed by one hub, retried by policy, taken over when their hub is lost, given back when it stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apps import tally
from scheduler.hubs import hub_beside, lose
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Store
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.alike

LEASE = SchedulerSettings().lease


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally", [tally])


@pytest.fixture
def gate() -> tally.Gate:
    tally.GATES["g"] = tally.Gate()
    return tally.GATES["g"]


async def later(caller: Caller, path: str, **args: Any) -> str:
    call_id: str = await caller.mutation("tally:later", {"path": path, "args": args})
    return call_id


async def begun(app: TestApp, caller: Caller, gate: tally.Gate, path: str) -> tuple[str, asyncio.Task[Any]]:
    """Schedule an action and let it run as far as its gate."""
    call_id = await later(caller, path, name="g")
    running: asyncio.Task[Any] = asyncio.create_task(app.advance(raise_failures=False))
    await gate.reached.wait()
    return call_id, running


async def state(caller: Caller, call_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await caller.query("tally:call", {"callId": call_id})
    return found


async def tallies(caller: Caller) -> dict[str, int]:
    found: dict[str, int] = await caller.query("tally:tallies")
    return found


async def test_an_action_runs_once_and_is_not_tried_again_unless_it_says_so(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        good = await later(caller, "tally:add_by_action", name="good")
        bad = await later(caller, "tally:add_by_action", name="bad", failUntil=99)
        await app.advance(100, raise_failures=False)
        assert await tallies(caller) == {"good": 1, "bad": 1}
        assert ((await state(caller, good))["status"], (await state(caller, good))["attempts"]) == ("done", 1)
        failed = await state(caller, bad)
        assert (failed["status"], failed["error"]) == ("failed", {"code": "not_yet", "message": "bad: 1"})


async def test_an_action_schedules_in_transactions_of_its_own(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        args = {"path": "tally:add", "args": {"name": "kept"}, "fails": True}
        with pytest.raises(FunctionError) as failure:
            await caller.action("tally:later_by_action", args)
        assert failure.value.code == "too_late"
        await app.advance(5)
        assert await tallies(caller) == {"kept": 1}


async def test_a_failing_action_is_tried_again_by_its_policy(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add_thrice", name="a")
        began = (await state(caller, call_id))["runAt"]
        await app.advance()
        waiting = await state(caller, call_id)
        assert (waiting["status"], waiting["attempts"], waiting["error"]["code"]) == ("pending", 1, "not_yet")
        assert 7_500 <= waiting["runAt"] - began <= 10_000
        await app.advance(7.4)
        assert await tallies(caller) == {"a": 1}
        await app.advance(2.6)
        second = (await state(caller, call_id))["runAt"]
        assert 22_500 <= second - waiting["runAt"] <= 30_000
        await app.advance(1_000, raise_failures=False)
        assert await tallies(caller) == {"a": 3}
        assert (await state(caller, call_id))["status"] == "failed"


async def test_a_policy_given_when_scheduling_goes_first(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        args = {"path": "tally:add_by_action", "args": {"name": "a", "failUntil": 4}, "attempts": 9}
        call_id = await caller.mutation("tally:later_with_retry", args)
        await app.advance(60)
        done = await state(caller, call_id)
        assert (done["status"], done["attempts"], await tallies(caller)) == ("done", 4, {"a": 4})
        assert "error" not in done


async def test_a_call_that_waits_to_be_tried_again_can_be_cancelled(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add_thrice", name="a")
        await app.advance()
        assert await caller.mutation("tally:cancel", {"callId": call_id}) is True
        await app.advance(1_000)
        assert await tallies(caller) == {"a": 1}


async def test_a_running_action_cannot_be_cancelled(registry: Registry, any_store: Store, gate: tally.Gate) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated")
        assert (await state(caller, call_id))["status"] == "running"
        assert await caller.mutation("tally:cancel", {"callId": call_id}) is False
        gate.open.set()
        await running
        assert (await state(caller, call_id))["status"] == "done"


async def test_two_hubs_do_not_both_run_an_action(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        for number in range(30):
            await later(caller, "tally:add_by_action", name=f"n{number}")
        app.clock.advance(1)
        await asyncio.gather(app.advance(), other.advance())
        await asyncio.gather(app.advance(), other.advance())
        assert await tallies(caller) == {f"n{number}": 1 for number in range(30)}
        assert len(await caller.query("tally:calls", {"status": "done"})) == 30


# --- leases -----------------------------------------------------------------------------------------------------------


async def test_what_a_lost_hub_was_running_is_taken_over_after_the_lease(
    registry: Registry, any_store: Store, gate: tally.Gate
) -> None:
    async with TestApp(registry, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated_twice")
        await asyncio.gather(running, lose(app))
        gate.open.set()
        await other.advance(LEASE - 1)
        assert (await state(caller, call_id))["status"] == "running"
        await other.advance(2)
        done = await state(caller, call_id)
        assert (done["status"], done["attempts"], await tallies(caller)) == ("done", 2, {"g": 2})


async def test_what_is_run_once_fails_when_its_hub_is_lost(
    registry: Registry, any_store: Store, gate: tally.Gate
) -> None:
    async with TestApp(registry, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated")
        await asyncio.gather(running, lose(app))
        await other.advance(LEASE + 1, raise_failures=False)
        failed = await state(caller, call_id)
        assert (failed["status"], failed["attempts"], failed["error"]["code"]) == ("failed", 1, "interrupted")
        assert await tallies(caller) == {"g": 1}
        assert other.scheduler.failures.total.count == 1


async def test_a_renewed_lease_keeps_an_action_where_it_is(
    registry: Registry, any_store: Store, gate: tally.Gate
) -> None:
    async with TestApp(registry, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated_twice")
        for _ in range(5):
            app.clock.advance(LEASE - 1)
            await app.scheduler.renew()
            await other.advance()
        gate.open.set()
        await running
        done = await state(caller, call_id)
        assert (done["status"], done["attempts"], await tallies(caller)) == ("done", 1, {"g": 1})


async def test_a_hub_that_comes_back_too_late_is_told_and_changes_nothing(
    registry: Registry, any_store: Store, gate: tally.Gate
) -> None:
    async with TestApp(registry, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated")
        await other.advance(LEASE + 1, raise_failures=False)  # as if the first hub had been standing still
        assert (await state(caller, call_id))["status"] == "failed"
        await app.scheduler.renew()  # and now it goes on: what it ran is no longer its own
        await running
        assert not gate.open.is_set()
        assert (await state(caller, call_id))["error"]["code"] == "interrupted"


async def test_a_result_that_comes_after_the_lease_is_not_taken(
    registry: Registry, any_store: Store, gate: tally.Gate, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry, any_store) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated")
        await other.advance(LEASE + 1, raise_failures=False)
        gate.open.set()
        await running
        assert (await state(caller, call_id))["status"] == "failed"
        assert "longer than its lease" in caplog.text


# --- stopping ---------------------------------------------------------------------------------------------------------


async def test_a_stop_waits_for_what_is_about_to_finish(registry: Registry, gate: tally.Gate) -> None:
    async with TestApp(registry) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, "tally:gated")
        stopping = asyncio.create_task(app.scheduler.stop())
        await other.advance()
        gate.open.set()
        await asyncio.gather(stopping, running)
        assert (await state(caller, call_id))["status"] == "done"


@pytest.mark.parametrize(("name", "status"), [("gated_twice", "pending"), ("gated", "failed")])
async def test_a_stop_gives_back_what_does_not_finish(
    registry: Registry, any_store: Store, gate: tally.Gate, name: str, status: str
) -> None:
    impatient = SchedulerSettings(stop_timeout=0.05)
    async with TestApp(registry, any_store, scheduler=impatient) as app, hub_beside(app) as other:
        caller = app.caller()
        call_id, running = await begun(app, caller, gate, f"tally:{name}")
        await app.scheduler.stop()
        await running
        assert app.scheduler.failures.total.count == (status == "failed")
        left = await state(caller, call_id)
        assert (left["status"], left["error"]["code"]) == (status, "interrupted")
        gate.open.set()
        await other.advance(1)
        assert (await state(caller, call_id))["status"] == ("done" if name == "gated_twice" else "failed")


@pytest.mark.slow
async def test_a_hub_runs_so_many_actions_at_once_and_mutations_go_past_them(
    registry: Registry, any_store: Store, gate: tally.Gate
) -> None:
    async with TestApp(registry, any_store, scheduler=SchedulerSettings(max_actions=2)) as app:
        caller = app.caller()
        for _ in range(100):
            await later(caller, "tally:gated", name="g")
        await later(caller, "tally:add", name="quick")
        running = asyncio.create_task(app.advance())
        await gate.reached.wait()
        async with hub_beside(app, settings=SchedulerSettings(max_actions=1)) as watching:
            head = watching.engine.head
            while "quick" not in await tallies(watching.caller()):
                await watching.engine.wait_for(head + 1)
                head = watching.engine.head
            assert len(await watching.caller().query("tally:calls", {"status": "running"})) <= 2
        gate.open.set()
        await running
        assert await tallies(caller) == {"g": 100, "quick": 1}


# --- versions of the application --------------------------------------------------------------------------------------


async def test_a_function_that_a_hub_does_not_know_is_left_to_one_that_does(
    registry: Registry, any_store: Store
) -> None:
    functions = {path: each for path, each in registry.functions.items() if not path.startswith("tally:add")}
    older = Registry("older", functions, registry.tables)
    async with TestApp(registry, any_store) as app, hub_beside(app, older) as other:
        caller = app.caller()
        ids = [await later(caller, f"tally:{name}", name=name) for name in ("add", "add_by_action")]
        await other.advance(59)
        assert [(await state(caller, each))["status"] for each in ids] == ["pending", "pending"]
        await app.advance()
        assert await tallies(caller) == {"add": 1, "add_by_action": 1}


async def test_a_function_that_nobody_knows_any_more_fails(registry: Registry, any_store: Store) -> None:
    functions = {path: each for path, each in registry.functions.items() if not path.startswith("tally:add")}
    older = Registry("older", functions, registry.tables)
    async with TestApp(registry, any_store) as app, hub_beside(app, older) as other:
        caller = app.caller()
        ids = [await later(caller, f"tally:{name}", name=name) for name in ("add", "add_by_action")]
        await other.advance(61, raise_failures=False)
        for each in ids:
            assert (await state(caller, each))["error"]["code"] == "unknown_function"
