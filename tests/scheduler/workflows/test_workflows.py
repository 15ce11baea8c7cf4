"""Workflows: each step once and in order, whatever hub is lost; waiting, events, mistakes, changed code."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from apps import trips
from helpers.seeds import seeds
from scheduler.hubs import hub_beside, lose
from scheduler.workflows.trip_calls import KEEPING, begin, bookings, cancel, ending, error, resume, send, status, steps
from synovia import cron, workflow
from synovia.errors import FunctionError, SchemaError
from synovia.functions.registry import Registry
from synovia.store.base import Store
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

DAY_MS = 86_400_000


# --- steps and waiting


async def test_steps_run_one_after_the_other_once_and_sleep_between(app: TestApp) -> None:
    call_id = await begin(app, "trip", name="a", nights=3)
    await app.advance(10)
    assert await bookings(app) == ["a train"]
    assert await steps(app, call_id) == [("trips:book", "done"), ("sleep", "pending")]
    assert await status(app, call_id) == "running"
    await app.advance(timedelta(days=3))
    assert await bookings(app) == ["a train", "a city", "a back"]
    first, second, _ = await app.caller().query("trips:times")
    assert second - first == 3 * DAY_MS
    assert await ending(app) == {"status": "done", "result": "A CITY"}


async def test_a_workflow_is_begun_by_itself_too(app: TestApp) -> None:
    call_id = await app.caller().mutation("trips:begin_trip", {"name": "a"})
    await app.advance(timedelta(days=3))
    assert await status(app, call_id) == "done"


async def test_what_is_awaited_together_runs_together_within_its_pool(app: TestApp) -> None:
    cities = [f"city {number}" for number in range(6)]
    call_id = await begin(app, "tour", cities=cities)
    await app.advance()
    assert (await ending(app))["result"] == [city.upper() for city in cities]
    assert Counter(await bookings(app)) == Counter([*cities, *[f"after {city}" for city in cities]])
    assert trips.RUNNING[1] == 2
    assert {state for _, state in await steps(app, call_id)} == {"done"}


async def test_a_step_is_a_workflow_of_its_own(app: TestApp) -> None:
    await begin(app, "nested", name="a")
    await app.advance(timedelta(days=2))
    assert await bookings(app) == ["a train", "a city", "a back"]
    assert await ending(app) == {"status": "done", "result": "A CITY"}


async def test_actions_are_tried_again_by_the_policy_of_their_step(app: TestApp) -> None:
    await begin(app, "retried", until=3)
    await app.advance(60, raise_failures=False)
    assert await ending(app) == {"status": "done", "result": 3}


async def test_the_failure_of_a_step_is_raised_where_it_is_awaited(app: TestApp) -> None:
    await begin(app, "catching")
    await app.advance(raise_failures=False)
    assert await ending(app) == {"status": "done", "result": "full"}


async def test_a_result_that_cannot_be_sent_is_a_failure(app: TestApp) -> None:
    call_id = await begin(app, "wish")
    await app.advance(raise_failures=False)
    assert await status(app, call_id) == "failed"
    assert await ending(app) == {"status": "failed", "code": "server_error"}


async def test_progress_is_followed_like_any_query(app: TestApp) -> None:
    call_id = await begin(app, "trip", name="a")
    async with app.caller().subscribe("trips:steps", {"callId": call_id}) as live:
        await app.advance(10)
        assert [each["status"] for each in live.value] == ["done", "pending"]
        await app.advance(timedelta(days=1))
        assert [each["status"] for each in live.value] == ["done"] * 4


# --- events


async def test_events_are_kept_in_order_until_somebody_waits_for_them(app: TestApp) -> None:
    call_id = await begin(app, "waiting")
    await app.advance()
    for name, payload in (("end", {"of": 3}), ("news", 1), ("news", [2])):
        assert await send(app, call_id, name, payload)
    await app.advance()
    assert await ending(app) == {"status": "done", "result": [1, [2], {"of": 3}]}
    assert await send(app, call_id, "news") is False


async def test_events_that_nobody_waits_for_have_a_bound_of_bytes(app: TestApp) -> None:
    call_id = await begin(app, "waiting")
    await app.advance()
    for number in range(4):
        assert await send(app, call_id, "other", f"{number}" * 900_000)
    with pytest.raises(FunctionError, match="leave no room"):
        await send(app, call_id, "other", "x" * 900_000)
    assert await send(app, call_id, "other", "a small one has room")


async def test_an_event_to_nobody_is_told(app: TestApp) -> None:
    assert await send(app, "0" * 24, "news") is False


@pytest.mark.parametrize("answers", [True, False])
async def test_what_is_given_up_is_cancelled(app: TestApp, answers: bool) -> None:
    call_id = await begin(app, "early")
    await app.advance()
    if answers:
        await send(app, call_id, "answer", "yes")
    await app.advance(3_600)
    assert (await ending(app))["result"] == ("yes" if answers else "nobody")
    assert sorted(state for _, state in await steps(app, call_id)) == ["cancelled", "done"]


# --- what is wrong


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("a query", "wrong_kind"), ("nothing", "unknown_function"), ("no function", "server_error"),
        ("other arguments", "invalid_arguments"), ("a job", "wrong_kind"), ("time", "not_in_a_workflow"),
        ("a negative time", "invalid_arguments"), ("a long result", "limit_exceeded"), ("forgotten", "server_error"),
        ("an error", "server_error"),
    ],
)  # fmt: skip
async def test_what_a_workflow_does_wrong_fails_it_with_a_reason(registry: Registry, how: str, code: str) -> None:
    async with TestApp(registry) as app:
        call_id = await begin(app, "badly", how=how)
        await app.advance(raise_failures=False)
        assert (await status(app, call_id), await error(app, call_id)) == ("failed", code)
        other = await begin(app, "catching")
        await app.advance(raise_failures=False)
        assert await status(app, other) == "done"


@pytest.mark.parametrize("in_a_task", [False, True])
@pytest.mark.parametrize("how", ["an exit", "an interrupt", "a generator's exit", "a group"])
async def test_what_is_no_error_fails_a_workflow_and_the_hub_goes_on(app: TestApp, how: str, in_a_task: bool) -> None:
    call_id = await begin(app, "badly", how=how, inATask=in_a_task)
    await app.advance(raise_failures=False)
    assert (await status(app, call_id), await error(app, call_id)) == ("failed", "server_error")
    assert await bookings(app) == [how, f"not {how}"], "what it has done is taken back, as of any failure"
    assert await resume(app, call_id) is True
    await app.advance(raise_failures=False)
    assert (await status(app, call_id), await error(app, call_id)) == ("failed", "server_error"), (
        "it is as wrong as before"
    )
    other = await begin(app, "catching")
    await app.advance(raise_failures=False)
    assert await status(app, other) == "done"


@pytest.mark.parametrize("app", ["replayed"], indirect=True)
@pytest.mark.parametrize("change", ["longer", "shorter"])
async def test_code_that_has_changed_is_told_and_goes_on_when_it_is_mended(app: TestApp, change: str) -> None:
    call_id = await begin(app, "changing")
    await app.advance()
    assert await bookings(app) == ["first", "second"]
    trips.CHANGED.add(change)
    await app.advance(3_600, raise_failures=False)
    _, code, message = await app.caller().query("trips:status", {"callId": call_id})
    assert code == "workflow_changed"
    now = "event go" if change == "longer" else "nothing"
    assert f"number 2 was step trips:visit, and is {now} now" in message
    trips.CHANGED.clear()
    assert await app.caller().mutation("trips:resume", {"callId": call_id}) is True
    await app.advance()
    assert await status(app, call_id) == "done"
    assert await bookings(app) == ["first", "second"]


def test_what_is_no_workflow_is_refused() -> None:
    def plain() -> None: ...

    async def nothing(ctx: Any) -> None: ...

    with pytest.raises(SchemaError, match="is an async function"):
        workflow(plain)  # type: ignore[type-var]
    with pytest.raises(SchemaError, match="stands above"):
        cron(every=timedelta(hours=1))(workflow(nothing))


# --- hubs that are lost


@seeds(6, on_mongodb=2, deep=20)
async def test_hubs_that_are_lost_change_nothing(registry: Registry, any_store: Store, seed: int) -> None:
    """Two hubs work at the same time, and are lost in the middle, again and again: each mutation has run once, also of
    a workflow that is cancelled and resumed."""
    chance = random.Random(seed)
    async with TestApp(registry, any_store, scheduler=KEEPING) as app:
        call_id = await begin(app, "by_chance", seed=seed)
        for _ in range(25):
            if chance.random() < 0.2:
                await cancel(app, call_id)
            await resume(app, call_id)
            async with hub_beside(app, settings=chance.choice([KEEPING, None])) as other:
                for hub in (app, other):
                    await hub.scheduler.take_up()
                for _ in range(chance.randrange(40)):
                    await asyncio.sleep(0)
                await lose(chance.choice([app, other]))
                app.clock.advance(chance.choice([0.0, 0.5]))
        await app.advance(120, raise_failures=False)
        if await resume(app, call_id):
            await app.advance(120, raise_failures=False)
        ran, wanted = Counter(await bookings(app)), (await ending(app))["result"]
        assert [name for name in wanted if not ran[name]] == []
        assert [name for name in wanted if name.startswith("book") and ran[name] != 1] == [], "a mutation runs once"
