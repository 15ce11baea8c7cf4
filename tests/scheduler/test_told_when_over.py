"""``on_complete`` and ``on_failure``: told once, with the call, as part of the transaction that ends it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from apps import pooled, telling
from scheduler.hubs import hub_beside, lose
from synovia.errors import FunctionError
from synovia.functions.registry import Registry, collect
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Batch, Store, StoreUnavailable, Ts
from synovia.store.mongo import MongoStore
from synovia.testing import CallsFailed, TestApp
from synovia_protocol.messages import ArrayRef

pytestmark = pytest.mark.alike

LEASE = SchedulerSettings().lease
BOTH = {"onComplete": "telling:ended", "onFailure": "telling:failed"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("telling", [telling])


async def plan(app: TestApp, path: str, **options: Any) -> str:
    call_id: str = await app.caller().mutation("telling:plan", {"path": f"telling:{path}", **options})
    return call_id


async def told(app: TestApp) -> list[tuple[str, str]]:
    return [(each["who"], each["outcome"]["status"]) for each in await app.caller().query("telling:told")]


async def state(app: TestApp, call_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await app.caller().query("telling:call", {"callId": call_id})
    return found


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_a_mutation_that_is_done_is_told_with_its_result(app: TestApp) -> None:
    context = {"for": ["ann", 1, None], "deep": {"x": 2.5}}
    call_id = await plan(app, "work", context=context, **BOTH)
    await app.advance()
    [row] = await app.caller().query("telling:told")
    assert (row["who"], row["callId"], row["status"], row["trusted"]) == ("ended", call_id, "done", True)
    assert row["outcome"] == {"status": "done", "result": {"name": "x", "nothing": None, "at": [1, 2.5]}}
    assert row["context"] == context


async def test_a_mutation_that_fails_is_told_to_both_and_keeps_nothing(app: TestApp) -> None:
    await plan(app, "fail", context=7, **BOTH)
    await app.advance(raise_failures=False)
    assert await told(app) == [("failed", "failed"), ("ended", "failed")]
    rows = await app.caller().query("telling:told")
    assert [row["outcome"]["error"] for row in rows] == [{"code": "no_good", "message": "x"}] * 2
    assert [(row["context"], row["status"]) for row in rows] == [(7, "failed")] * 2
    assert await app.caller().query("telling:worked") == []


async def test_an_action_that_is_done_is_told_with_its_result_arrays_too(app: TestApp) -> None:
    await plan(app, "act", **BOTH)
    await app.advance()
    [row] = await app.caller().query("telling:told")
    result = row["outcome"]["result"]
    assert row["who"] == "ended"
    ref = ArrayRef(result["digest"], result["dtype"], tuple(result["shape"]))
    assert (await app.caller().array(ref)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("path", ["work_for_a_set", "act_for_a_set"])
async def test_one_whose_result_cannot_be_sent_has_failed(app: TestApp, path: str) -> None:
    await plan(app, path, **BOTH)
    await app.advance(raise_failures=False)
    assert await told(app) == [("failed", "failed"), ("ended", "failed")]
    assert await app.caller().query("telling:worked") == []


async def test_only_the_last_attempt_is_told(app: TestApp) -> None:
    await plan(app, "act_in_vain", **BOTH)
    await app.advance()
    assert await told(app) == []
    await app.advance(10, raise_failures=False)
    assert await told(app) == [("failed", "failed"), ("ended", "failed")]


async def test_a_call_that_is_cancelled_is_told_as_the_application_whoever_cancels(app: TestApp) -> None:
    call_id = await plan(app, "work", seconds=60, **BOTH)
    ann = app.caller("ann@example.org")
    assert await ann.mutation("telling:cancel", {"callId": call_id}) is True
    assert await ann.mutation("telling:cancel", {"callId": call_id}) is False
    [row] = await ann.query("telling:told")
    assert (row["who"], row["outcome"], row["status"], row["trusted"]) == (
        "ended",
        {"status": "cancelled"},
        "cancelled",
        True,
    )


async def test_an_action_schedules_what_is_told_too(app: TestApp) -> None:
    await app.caller().action("telling:plan_by_action")
    await app.advance()
    assert [row["context"] for row in await app.caller().query("telling:told")] == ["by action"]


async def test_who_is_told_may_schedule_what_comes_next(app: TestApp) -> None:
    await plan(app, "work", onComplete="telling:chain", context=5)
    await app.advance(10)
    assert await app.caller().query("telling:worked") == ["x", "5", "4", "3", "2", "1"]


@pytest.mark.mongodb
async def test_a_call_is_over_though_who_is_told_cannot_read(
    registry: Registry, mongodb_uri: str, database_name: str
) -> None:
    """The database refuses that for good: the transaction that ends the call is not tried again because of it."""
    async with TestApp(registry, MongoStore(mongodb_uri, database_name)) as app:
        call_id = await plan(app, "work", onComplete="telling:looks_up")
        async with AsyncMongoClient[dict[str, object]](mongodb_uri) as outside:
            await outside[database_name]["work"].drop_index("synovia_by_name")
        await app.advance(raise_failures=False)
        ended = await state(app, call_id)
        assert (ended["status"], ended["callbackError"]["code"]) == ("done", "server_error")


# --- lost hubs --------------------------------------------------------------------------------------------------------


async def test_a_call_whose_hub_is_lost_is_told_once(app: TestApp, watch: pooled.Watch) -> None:
    async with hub_beside(app) as other, hub_beside(app) as third:
        await plan(app, "act_slowly", **BOTH)
        running = asyncio.create_task(app.advance())
        await watch.until("x", 1)
        await asyncio.gather(running, lose(app))
        app.clock.advance(LEASE + 1)
        await asyncio.gather(other.advance(raise_failures=False), third.advance(raise_failures=False))
        assert await told(app) == [("failed", "failed"), ("ended", "failed")]


async def test_what_is_given_back_by_a_hub_that_stops_is_told(registry: Registry, watch: pooled.Watch) -> None:
    async with TestApp(registry, scheduler=SchedulerSettings(stop_timeout=0.05)) as app:
        for _ in range(3):
            await plan(app, "act_slowly", **BOTH)
        running = asyncio.create_task(app.advance(raise_failures=False))
        await watch.until("x", 3)
        await app.scheduler.stop()
        await running
        assert sorted(await told(app)) == [("ended", "failed")] * 3 + [("failed", "failed")] * 3


async def test_an_end_whose_commit_was_not_acknowledged_is_told_once(
    app: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, lost = app.store.commit, 0

    async def commit_and_lose(batch: Batch) -> Ts:
        nonlocal lost
        ts = await commit(batch)
        if lost < 3 and any(write.table == "told" for write in batch.writes):
            lost += 1
            raise StoreUnavailable("the acknowledgement was lost")
        return ts

    monkeypatch.setattr(app.store, "commit", commit_and_lose)
    for path in ("work", "act", "fail"):
        await plan(app, path, onComplete="telling:ended")
    await app.advance(raise_failures=False)
    assert lost > 0
    assert sorted(await told(app)) == [("ended", "done"), ("ended", "done"), ("ended", "failed")]


# --- who is told and fails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["work", "act"])
@pytest.mark.parametrize(
    ("who", "code"), [("refuses", "no_thanks"), ("breaks", "server_error"), ("forgets", "server_error")]
)
async def test_what_it_raises_changes_nothing_in_the_outcome(
    app: TestApp, path: str, who: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    call_id = await plan(app, path, onComplete=f"telling:{who}")
    with pytest.raises(
        CallsFailed, match=f"telling:{who}, told that the scheduled call {call_id} of telling:{path} is over"
    ):
        await app.advance()
    row = await state(app, call_id)
    assert (row["status"], row["callbackError"]["code"], "error" in row) == ("done", code, False)
    assert await told(app) == []
    assert await app.caller().query("telling:worked") == ["x"]
    await app.advance(1_000)
    assert (
        len([record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info is None]) == 1
    )


async def test_one_that_fails_does_not_keep_the_other_from_being_told(app: TestApp) -> None:
    await plan(app, "fail", onFailure="telling:breaks", onComplete="telling:ended")
    await app.advance(raise_failures=False)
    assert await told(app) == [("ended", "failed")]


async def test_a_cancellation_stands_though_who_is_told_fails(app: TestApp) -> None:
    call_id = await plan(app, "work", seconds=60, onComplete="telling:breaks")
    assert await app.caller("ann@example.org").mutation("telling:cancel", {"callId": call_id}) is True
    row = await state(app, call_id)
    assert (row["status"], row["callbackError"]["code"]) == ("cancelled", "server_error")


async def test_what_a_hub_does_not_know_is_left_to_one_that_does(registry: Registry, any_store: Store) -> None:
    older = replace(registry, functions={k: v for k, v in registry.functions.items() if k != "telling:ended"})
    async with TestApp(registry, any_store) as app, hub_beside(app, older) as other:
        call_id = await plan(app, "work", onComplete="telling:ended", context=3)
        await other.advance(1)
        assert ((await state(app, call_id))["status"], await told(app)) == ("done", [])
        await app.advance(1)
        [row] = await app.caller().query("telling:told")
        assert (row["callId"], row["context"], row["outcome"]["result"]["name"]) == (call_id, 3, "x")


# --- what cannot be told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["onComplete", "onFailure"])
@pytest.mark.parametrize(
    ("path", "context", "code"),
    [
        ("telling:nothing", None, "unknown_function"),
        ("", None, "unknown_function"),
        ("telling:told", None, "invalid_arguments"),
        ("telling:act", None, "invalid_arguments"),
        ("telling:open_to_all", None, "invalid_arguments"),
        ("telling:work", None, "invalid_arguments"),
        ("telling:takes_a_name", 5, "invalid_arguments"),
        ("telling:ended", "x" * 2_000_000, "limit_exceeded"),
    ],
)
async def test_it_is_told_to_the_one_who_schedules(
    registry: Registry, option: str, path: str, context: Any, code: str
) -> None:
    async with TestApp(registry) as app:
        with pytest.raises(FunctionError) as refused:
            await plan(app, "work", context=context, **{option: path})
        assert refused.value.code == code
        await app.advance()
        assert await app.caller().query("telling:worked") == []
