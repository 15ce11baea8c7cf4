"""Calls to come: committed with the mutation that schedules them, run once at their time, cancelled, kept and removed."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from bson import ObjectId

from apps import tally
from synovia import turns
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.scheduler.arguments import from_document
from synovia.schema import id_to_bson
from synovia.store import arrays
from synovia.store.base import Batch, Store, Write
from synovia.store.sweep import sweep
from synovia.testing import Caller, TestApp

pytestmark = pytest.mark.same_tables

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally", [tally])


async def later(caller: Caller, path: str, seconds: float = 0.0, /, **args: Any) -> str:
    call_id: str = await caller.mutation("tally:later", {"path": path, "args": args, "seconds": seconds})
    return call_id


async def later_by_action(caller: Caller, path: str, /, **args: Any) -> str:
    call_id: str = await caller.action("tally:later_by_action", {"path": path, "args": args})
    return call_id


async def state(caller: Caller, call_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await caller.query("tally:call", {"callId": call_id})
    return found


async def test_a_mutation_runs_at_its_time_and_once(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add", 60, name="a", by=3)
        due = (await state(caller, call_id))["runAt"]
        await app.advance(59)
        assert (await state(caller, call_id))["status"] == "pending"
        assert await caller.query("tally:tallies") == {}
        await app.advance(1)
        await app.advance(1_000)
        assert await caller.query("tally:tallies") == {"a": 3}
        done = await state(caller, call_id)
        assert (done["status"], done["attempts"], done["finishedAt"]) == ("done", 1, due)
        assert await caller.query("tally:times", {"name": "a"}) == [due]


async def test_others_go_on_between_the_calls_that_one_mutation_schedules(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    times, rounds = 100, 0

    async def go_on() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async with TestApp(registry) as app:
        others = asyncio.create_task(go_on())
        args = {"path": "tally:add", "args": {"name": "a"}, "seconds": 60.0, "times": times}
        await app.caller().mutation("tally:later", args)
        others.cancel()
    assert rounds >= times


async def test_a_mutation_that_fails_leaves_nothing_scheduled(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        with pytest.raises(FunctionError) as failure:
            await caller.mutation("tally:later", {"path": "tally:add", "args": {"name": "a"}, "fails": True})
        assert failure.value.code == "changed_my_mind"
        assert await caller.query("tally:calls", {"status": "pending"}) == []
        await app.advance(10)
        assert await caller.query("tally:tallies") == {}


async def test_what_is_due_runs_in_order_and_may_schedule_more(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        began = int(app.clock() * 1000)
        await later(caller, "tally:again", 10, name="chain", times=5, seconds=20.0)
        await app.advance(100)
        times = await caller.query("tally:times", {"name": "chain"})
        assert [round((time - began) / 1000) for time in times] == [10, 30, 50, 70, 90]


@pytest.mark.slow
async def test_scheduling_for_now_and_for_the_past_runs_at_once(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        await caller.mutation("tally:at", {"when": 0, "path": "tally:add"})
        await app.advance()
        assert await caller.query("tally:tallies") == {"at": 1}
        await later(caller, "tally:again", name="now", times=50)
        await app.advance()
        assert (await caller.query("tally:tallies"))["now"] == 50


async def test_what_schedules_itself_for_ever_is_told_in_a_test(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synovia.scheduler.runner.MOST_ROUNDS", 30)
    async with TestApp(registry) as app:
        await later(app.caller(), "tally:again", name="now", times=1_000)
        with pytest.raises(RuntimeError, match="same moment"):
            await app.advance()


async def test_arrays_and_untyped_values_arrive_as_they_were_sent(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        samples = np.linspace(0, 1, 1000)
        extra = {"ref": samples, "big": 2**62, "bytes": b"\x00\xff", "nested": [{"x": None}, [], -0.0, True]}
        call_id = await later(caller, "tally:keep", samples=samples, extra=extra)
        await app.advance()
        assert (await state(caller, call_id))["status"] == "done"
        assert await caller.query("tally:tallies") == {"float64 1000": 1}


async def test_enumerations_arrive_as_they_were_given(registry: Registry) -> None:
    async with TestApp(registry) as app:
        await app.caller().mutation("tally:stride_later")
        await app.advance()
        assert await app.caller().query("tally:tallies") == {"strides": 10 + 1 + 10 + 10 + 1}
        with pytest.raises(FunctionError, match="short"):
            await later(app.caller(), "tally:stride", rank="first", strides=["far"])


async def test_a_row_tells_its_arguments_and_references_as_documents_hold_them(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        samples = np.arange(3.0)
        call_id = await later(caller, "tally:keep", 60, samples=samples, extra={"ref": samples})
        snapshot = app.store.snapshot(app.engine.head)
        [row] = await snapshot.get("_scheduled", [id_to_bson(call_id)])
        assert row is not None
        assert row["args"]["samples"]["dtype"] == "float64"
        assert row["args"]["samples"] == row["args"]["extra"]["ref"]


async def test_an_array_that_only_a_call_to_come_refers_to_is_kept(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        samples = np.linspace(0, 1, 100_000)
        call_id = await later(caller, "tally:keep", 60, samples=samples, extra={"ref": samples})
        unused = await arrays.write_array(app.store.arrays, np.arange(7.0))
        await sweep(app.store, time.time() + 86_400)
        assert await app.store.arrays.get_manifest(unused.digest) is None
        [call] = await caller.query("tally:calls", {"status": "pending"})
        ref = from_document(call["args"])["samples"]
        assert np.array_equal(await caller.array(ref), samples)
        await app.advance(60)
        assert (await state(caller, call_id))["status"] == "done"


# --- what cannot be scheduled -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "args", "code"),
    [
        ("tally:nothing", {}, "unknown_function"),
        ("", {}, "unknown_function"),
        ("tally:tallies", {}, "wrong_kind"),
        ("tally:add", {}, "invalid_arguments"),
        ("tally:add", {"name": 5}, "invalid_arguments"),
        ("tally:add", {"name": "x", "more": 1}, "invalid_arguments"),
        ("tally:keep", {"samples": "none", "extra": {}}, "invalid_arguments"),
        ("tally:add", {"name": "x" * 2_000_000}, "limit_exceeded"),
    ],
)
async def test_what_cannot_be_called_is_told_to_the_one_who_schedules_it(
    registry: Registry, path: str, args: dict[str, Any], code: str
) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        for ask in (later, later_by_action):
            with pytest.raises(FunctionError) as failure:
                await ask(caller, path, **args)
            assert failure.value.code == code
            assert await caller.query("tally:calls", {"status": "pending"}) == []


@pytest.mark.parametrize("when", [-1, 1.5, "now", None, True, 2**60, 2**63 - 1, float("inf")])
async def test_a_time_that_is_none_is_refused(registry: Registry, when: Any) -> None:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as failure:
            await app.caller().mutation("tally:at", {"when": when, "path": "tally:add"})
        assert failure.value.code == "invalid_arguments"


@pytest.mark.parametrize("seconds", [-0.001, 1e13])
async def test_a_delay_that_is_none_is_refused(registry: Registry, seconds: float) -> None:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as failure:
            await later(app.caller(), "tally:add", seconds, name="x")
        assert failure.value.code == "invalid_arguments"


@pytest.mark.slow
async def test_a_mutation_schedules_a_bounded_number(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, call = app.caller(), {"path": "tally:add", "args": {"name": "x"}, "seconds": 9.0}
        await caller.mutation("tally:later", {**call, "times": 1000})
        with pytest.raises(FunctionError) as failure:
            await caller.mutation("tally:later", {**call, "times": 1001})
        assert failure.value.code == "limit_exceeded"
        assert len(await caller.query("tally:calls", {"status": "pending"})) == 1000


async def test_a_retry_policy_for_a_mutation_is_refused(registry: Registry) -> None:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as failure:
            await app.caller().mutation(
                "tally:later_with_retry", {"path": "tally:add", "args": {"name": "x"}, "attempts": 2}
            )
        assert failure.value.code == "invalid_arguments"


# --- failing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "code"), [("add_then_fail", "no_good"), ("add_then_break", "server_error")])
async def test_a_mutation_that_fails_is_not_tried_again_and_leaves_nothing(
    registry: Registry, any_store: Store, name: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        call_id = await later(caller, f"tally:{name}", name="a")
        await app.advance(100, raise_failures=False)
        assert await caller.query("tally:tallies") == {}
        failed = await state(caller, call_id)
        assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    broken = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(broken) == (2 if name == "add_then_break" else 1)
    assert all(f"tally:{name}" in record.getMessage() for record in broken)


async def test_a_taken_key_fails_the_call(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = [await later(caller, "tally:insert_tally", name="same") for _ in range(3)]
        await app.advance(raise_failures=False)
        states = [(await state(caller, call_id)) for call_id in ids]
        assert sorted(each["status"] for each in states) == ["done", "failed", "failed"]
        assert {each["error"]["code"] for each in states if "error" in each} == {"unique_violation"}


async def test_a_row_that_another_program_has_spoilt_fails_and_holds_nobody_up(
    registry: Registry, any_store: Store
) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        rows = [
            {"_id": ObjectId(), "queue": "mutation", "dueAt": 5.0},
            {"_id": ObjectId(), "queue": "action", "dueAt": 5, "path": "tally:add_by_action", "status": 7},
            {"_id": ObjectId(), "queue": "running", "dueAt": 0, "path": {"a": 1}},
            {"_id": "odd", "queue": "mutation", "dueAt": 1, "path": "tally:add", "status": "pending", "args": {}},
            {"_id": ObjectId(), "queue": "mutation", "dueAt": float("inf")},
            {"_id": ObjectId(), "queue": "mutation", "dueAt": "soon"},
            {"_id": ObjectId(), "queue": "unheard of", "dueAt": 5},
        ]
        ts = await app.store.commit(Batch([Write("_scheduled", row["_id"], None, row) for row in rows]))
        await app.engine.wait_for(ts)
        await later(caller, "tally:add", name="healthy")
        await app.advance(120, raise_failures=False)
        assert await caller.query("tally:tallies") == {"healthy": 1}
        found = await app.store.snapshot(app.engine.head).get("_scheduled", [row["_id"] for row in rows])
        assert [row and row.get("status") for row in found] == ["failed"] * 4 + [None] * 3


# --- cancelling -------------------------------------------------------------------------------------------------------


async def test_a_cancelled_call_does_not_run(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add", 60, name="a")
        assert await caller.mutation("tally:cancel", {"callId": call_id}) is True
        assert await caller.mutation("tally:cancel", {"callId": call_id}) is False
        other = await later(caller, "tally:add", 60, name="b")
        assert await caller.action("tally:cancel_by_action", {"callId": other}) is True
        assert await caller.mutation("tally:change_of_mind") is True
        await app.advance(100)
        assert await caller.query("tally:tallies") == {}
        assert (await state(caller, call_id))["status"] == "cancelled"


async def test_what_is_over_or_was_never_there_cannot_be_cancelled(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add", name="a")
        await app.advance()
        for each in (call_id, str(ObjectId()), "no id at all", "", "$where", "x" * 10_000):
            assert await caller.mutation("tally:cancel", {"callId": each}) is False
        assert (await state(caller, call_id))["status"] == "done"


async def test_a_call_is_either_cancelled_or_run(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        ids = [await later(caller, "tally:add", name=f"n{number}") for number in range(20)]
        cancels = asyncio.gather(*(caller.mutation("tally:cancel", {"callId": call_id}) for call_id in ids))
        cancelled, _ = await asyncio.gather(cancels, app.advance())
        await app.advance()
        tallies = await caller.query("tally:tallies")
        for number, (call_id, was_cancelled) in enumerate(zip(ids, cancelled, strict=True)):
            assert (f"n{number}" in tallies) is not was_cancelled
            assert (await state(caller, call_id))["status"] == ("cancelled" if was_cancelled else "done")


# --- afterwards -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.alike
async def test_what_is_over_is_kept_for_a_while_and_then_removed(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add", name="a")
        await caller.mutation("tally:later", {"path": "tally:add_then_fail", "args": {"name": "a"}, "times": 300})
        pending = await later(caller, "tally:add", 30 * 86_400, name="b")
        await app.advance(raise_failures=False)
        app.clock.advance((WEEK - timedelta(minutes=1)).total_seconds())
        await app.advance(raise_failures=False)
        assert (await state(caller, call_id))["status"] == "done"
        assert len(await caller.query("tally:calls", {"status": "failed"})) >= 300
        await app.advance(timedelta(minutes=3))
        assert await caller.query("tally:call", {"callId": call_id}) is None
        names = {call["path"] for call in await caller.query("tally:calls", {"status": "failed"})}
        assert "tally:add_then_fail" not in names
        assert (await state(caller, pending))["status"] == "pending"


async def test_functions_read_the_schedule_and_cannot_write_into_it(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller = app.caller()
        call_id = await later(caller, "tally:add", 60, name="a")
        with pytest.raises(FunctionError) as failure:
            await caller.mutation("tally:meddle", {"callId": call_id})
        assert failure.value.code == "forbidden"
        assert (await state(caller, call_id))["status"] == "pending"


@pytest.mark.parametrize("shape", [[3], ["3"], [], [-1, -3]])
async def test_a_map_that_looks_like_a_stored_reference_is_not_scheduled(registry: Registry, shape: list[Any]) -> None:
    """Clients may send such a map wherever anything may stand; as a reference nobody has checked it."""
    async with TestApp(registry) as app:
        caller = app.caller()
        ref = await arrays.write_array(app.store.arrays, np.arange(3.0))
        stolen = {"digest": ref.digest, "dtype": ref.dtype, "shape": shape}
        for extra in ({"ref": stolen}, stolen, {"ref": [{"deeper": stolen}]}):
            with pytest.raises(FunctionError) as caught:
                await later(caller, "tally:keep", samples=ref, extra=extra)
            assert caught.value.code == "invalid_arguments"
        await app.advance()
        assert await caller.query("tally:tallies") == {}
