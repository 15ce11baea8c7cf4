"""Workflows: each step once and in order, whatever hub is lost; waiting, giving up, taking back, changed code."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from apps import trips
from helpers.patience import PATIENCE
from helpers.running_hub import running_hub
from helpers.seeds import seeds
from scheduler.hubs import do_what_is_due, hub_beside, lose
from synovia import cron, workflow
from synovia.errors import FunctionError, SchemaError
from synovia.functions.registry import Registry, collect
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Batch, Store, Ts
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables

DAY_MS = 86_400_000
KEEPING = SchedulerSettings(max_kept_workflows=100)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("trips", [trips])


@pytest.fixture(params=["replayed", "kept"])
async def app(registry: Registry, any_store: Store, request: pytest.FixtureRequest) -> AsyncIterator[TestApp]:
    """Give a hub that runs workflows from their beginning in each turn, and one that keeps them in memory."""
    settings = KEEPING if request.param == "kept" else None
    async with asyncio.timeout(PATIENCE), TestApp(registry, any_store, scheduler=settings) as app:
        yield app


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    trips.CHANGED.clear()
    trips.FULL.intersection_update({"full"})
    trips.FAILURES.clear()
    trips.WAITERS.clear()
    trips.RUNNING[:] = [0, 0]


async def begin(app: TestApp, path: str, /, **args: Any) -> str:
    call_id: str = await app.caller().mutation("trips:begin", {"path": path, "args": args})
    return call_id


async def status(app: TestApp, call_id: str) -> str:
    found: list[str] = await app.caller().query("trips:status", {"callId": call_id})
    return found[0]


async def error(app: TestApp, call_id: str) -> str | None:
    found: list[str | None] = await app.caller().query("trips:status", {"callId": call_id})
    return found[1]


async def bookings(app: TestApp) -> list[str]:
    found: list[str] = await app.caller().query("trips:bookings")
    return found


async def steps(app: TestApp, call_id: str) -> list[tuple[str, str]]:
    rows = await app.caller().query("trips:steps", {"callId": call_id})
    return [(each["name"] or each["kind"], each["status"]) for each in rows if each["number"] >= 0]


async def ending(app: TestApp) -> dict[str, Any]:
    [*_, found] = await app.caller().query("trips:endings")
    return {name: found[name] for name in ("status", "result", "code") if name in found}


async def send(app: TestApp, call_id: str, name: str, payload: Any = None) -> bool:
    sent: bool = await app.caller().mutation("trips:send", {"callId": call_id, "name": name, "payload": payload})
    return sent


async def cancel(app: TestApp, call_id: str) -> bool:
    cancelled: bool = await app.caller().mutation("trips:cancel", {"callId": call_id})
    return cancelled


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


# --- taking back and cancelling


async def test_what_was_done_is_taken_back_if_a_step_fails(app: TestApp) -> None:
    call_id = await begin(app, "careful", last="full")
    await app.advance(raise_failures=False)
    assert await bookings(app) == ["train", "hotel", "not hotel", "not train"]
    assert (await status(app, call_id), await error(app, call_id)) == ("failed", "full")
    assert await ending(app) == {"status": "failed", "code": "full"}


async def test_what_was_done_is_taken_back_if_it_is_cancelled(app: TestApp) -> None:
    call_id = await begin(app, "careful", last="car")
    await app.advance()
    assert await status(app, call_id) == "running"
    assert await cancel(app, call_id) is True
    assert await cancel(app, call_id) is False
    await app.advance()
    assert await bookings(app) == ["train", "hotel", "car", "not hotel", "not train"]
    assert await ending(app) == {"status": "cancelled"}
    assert await cancel(app, call_id) is False


async def test_cancelling_ends_what_it_waits_for_at_once(app: TestApp) -> None:
    call_id = await begin(app, "nested", name="a")
    await app.advance()
    assert await cancel(app, call_id) is True
    await app.advance()
    assert await status(app, call_id) == "cancelled"
    assert await steps(app, call_id) == [("trips:trip", "cancelled")]
    await app.advance(timedelta(days=5))
    assert await bookings(app) == ["a train"]


@pytest.mark.parametrize("hubs", [1, pytest.param(2, marks=pytest.mark.mongodb)])
async def test_an_action_that_runs_is_cancelled_with_the_commit_that_cancels_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, hubs: int
) -> None:
    monkeypatch.setenv("SYNOVIA_SCHEDULER_LEASE", "3600")  # so that nothing is learnt from renewing it
    async with AsyncExitStack() as stack:
        stores = ["sqlite://:memory:"]
        if hubs > 1:
            uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
            stores = [urlsplit(uri)._replace(path=f"/{name}").geturl()] * hubs
        running = [await stack.enter_async_context(running_hub(store, registry)) for store in stores]
        first, last = [await hub.connect("ann") for hub in (running[0], running[-1])]
        trips.WAITERS.append(waiter := trips.Waiter())
        call_id = await first.mutation("trips:begin", {"path": "patient", "args": {}})
        async with asyncio.timeout(PATIENCE):
            await waiter.begun.wait()
            assert await last.mutation("trips:cancel", {"callId": call_id}) is True
            await waiter.cancelled.wait()
            for hub in running:
                hub.app.scheduler.notify()  # as anything else does that comes due meanwhile
            async for [found, *_] in first.subscribe("trips:status", {"callId": call_id}):
                if found == "cancelled":
                    break
            waiter.may_clean_up.set()
            await waiter.clean.wait()  # which is not cancelled once more
        assert all(hub.app.scheduler.failures.total.count == 0 for hub in running)


def counted_writes(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the documents of each commit from now on."""
    commit, counts = app.store.commit, list[int]()

    async def count(batch: Batch) -> Ts:
        counts.append(len(batch.writes))
        return await commit(batch)

    monkeypatch.setattr(app.store, "commit", count)
    return counts


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ten steps be many."""
    monkeypatch.setattr("synovia.scheduler.workflows.GIVEN_UP_AT_ONCE", 5)


async def until_cancelled(app: TestApp, call_id: str) -> None:
    while await status(app, call_id) == "running":
        await do_what_is_due(app)


@pytest.mark.usefixtures("few_at_once")
async def test_it_is_cancelled_at_once_however_much_it_has_begun(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step begins after the commit of ``cancel``, and the end is as far from it as that of a workflow with few steps."""
    counts, took = counted_writes(app, monkeypatch), list[int]()
    for size in (10, 40):
        call_id = await begin(app, "tour", cities=[f"city {number}" for number in range(size)])
        await do_what_is_due(app)
        await do_what_is_due(app)
        before = await bookings(app)
        assert await cancel(app, call_id) is True
        counts.clear()
        await until_cancelled(app, call_id)
        took.append(sum(counts))
        assert await bookings(app) == before
        await app.advance()
        states = Counter(state for _, state in await steps(app, call_id))
        assert states == {"done": 2, "cancelled": size - 2}
        assert await bookings(app) == before
    assert took[0] == took[1]
    calls = await app.caller().query("trips:calls")
    assert Counter(calls) == {"cancelled": 2 + 8 + 38, "done": 4}, "nothing of them is left"


@pytest.mark.usefixtures("few_at_once")
async def test_one_that_fails_gives_up_what_it_has_begun_as_well(app: TestApp) -> None:
    trips.FULL.add("city 1")
    call_id = await begin(app, "tour", cities=[f"city {number}" for number in range(20)])
    await app.advance(raise_failures=False)
    assert await error(app, call_id) == "full"
    assert Counter(state for _, state in await steps(app, call_id))["cancelled"] > 10
    assert "running" not in await app.caller().query("trips:calls")


@pytest.mark.slow
@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("rounds", [0, 1, 3])
async def test_one_may_be_resumed_before_all_is_given_up(app: TestApp, rounds: int) -> None:
    cities = [f"city {number}" for number in range(20)]
    call_id = await begin(app, "tour", cities=cities)
    for _ in range(2):
        await do_what_is_due(app)
        await do_what_is_due(app)
        assert await cancel(app, call_id) is True
        await until_cancelled(app, call_id)
        for _ in range(rounds):
            await do_what_is_due(app)
        assert await resume(app, call_id) is True
    await app.advance()
    assert (await ending(app))["result"] == [city.upper() for city in cities]
    assert Counter(await bookings(app)) == Counter([*cities, *[f"after {city}" for city in cities]])


@pytest.mark.usefixtures("few_at_once")
async def test_parts_are_cancelled_with_what_they_are_parts_of(app: TestApp) -> None:
    call_id = await begin(app, "journeys", count=8)
    await app.advance()
    await cancel(app, call_id)
    await app.advance()
    assert {state for _, state in await steps(app, call_id)} == {"cancelled"}
    assert (await bookings(app)).count("not train") == 8, "each takes back what it has done"
    assert set(await app.caller().query("trips:calls")) == {"cancelled", "done"}


async def test_one_that_has_not_begun_is_cancelled_like_any_call(app: TestApp) -> None:
    call_id = await begin(app, "waiting")
    assert await cancel(app, call_id) is True
    await app.advance()
    assert await ending(app) == {"status": "cancelled"}


# --- going on after the end


async def resume(app: TestApp, call_id: str) -> bool:
    resumed: bool = await app.caller().mutation("trips:resume", {"callId": call_id})
    return resumed


async def test_one_that_has_failed_goes_on_from_the_step_that_failed(app: TestApp) -> None:
    trips.FULL |= {"right", "deep", "last"}
    call_id = await begin(app, "winding")
    await send(app, call_id, "news", 7)
    await app.advance(raise_failures=False)
    assert await status(app, call_id) == "failed"
    for room, booked in (
        ("right", ["first", "left"]), ("deep", ["right"]), ("last", ["deep", "sorry"]), ("", ["last"]),
    ):  # fmt: skip
        # What is inside is booked before the part beside it fails, or after that was resumed.
        others = [each for each in await bookings(app) if each != "inside"]
        assert others[-len(booked) :] == booked
        before = len(await bookings(app))
        trips.FULL.discard(room)
        if room:
            assert await resume(app, call_id) is True
            assert await resume(app, call_id) is False, "it is under way"
            await app.advance(10, raise_failures=False)
            assert len(await bookings(app)) > before
    assert (await bookings(app)).count("inside") == 1
    last = await ending(app)
    assert (last["status"], last["result"][1:3], last["result"][-1]) == ("done", ["full", 7], "out")
    assert await resume(app, call_id) is False, "it is done"


async def test_one_that_has_taken_back_goes_on_from_the_first_step_that_was_taken_back(app: TestApp) -> None:
    call_id = await begin(app, "careful", last="full")
    await app.advance(raise_failures=False)
    trips.FULL.clear()
    assert await resume(app, call_id) is True
    await app.advance()
    trips.FULL.add("full")
    assert (await bookings(app))[4:] == ["train", "hotel", "full"]
    assert await steps(app, call_id) == [("trips:book", "done")] * 3 + [("home", "pending")]
    assert await cancel(app, call_id) is True
    await app.advance()
    assert (await bookings(app))[7:] == ["not hotel", "not train"], "and is taken back once more"


async def test_one_that_was_cancelled_goes_on_where_it_waited(app: TestApp) -> None:
    call_id = await begin(app, "trip", name="a")
    await app.advance()
    assert await cancel(app, call_id) is True
    await app.advance()
    assert await resume(app, call_id) is True
    await app.advance(timedelta(days=1))
    assert (await bookings(app), await status(app, call_id)) == (["a train", "a city", "a back"], "done")


async def test_events_are_given_again_to_one_that_is_resumed(app: TestApp) -> None:
    call_id = await begin(app, "waiting")
    await app.advance()
    await send(app, call_id, "news", 1)
    await app.advance()
    await cancel(app, call_id)
    await app.advance()
    await resume(app, call_id)
    await send(app, call_id, "news", 2)
    await send(app, call_id, "end", 3)
    await app.advance()
    assert await ending(app) == {"status": "done", "result": [1, 2, 3]}


async def test_a_step_that_is_a_workflow_is_not_resumed_without_its_own(app: TestApp) -> None:
    trips.FULL.add("a city")
    call_id = await begin(app, "nested", name="a")
    await app.advance(timedelta(days=3), raise_failures=False)
    rows = await app.caller().query("trips:steps", {"callId": call_id})
    assert await resume(app, rows[0]["call"]) is False
    trips.FULL.clear()
    assert await resume(app, call_id) is True
    await app.advance()
    trips.FULL.add("full")
    assert (await bookings(app), await status(app, call_id)) == (["a train", "a city", "a back"], "done")


async def test_mended_code_goes_on_behind_the_last_step(app: TestApp) -> None:
    trips.CHANGED.add("broken")
    call_id = await begin(app, "changing")
    await app.advance(raise_failures=False)
    assert await error(app, call_id) == "server_error"
    assert await resume(app, call_id) is True
    await app.advance(raise_failures=False)
    assert await error(app, call_id) == "server_error", "it is as broken as before"
    trips.CHANGED.clear()
    await resume(app, call_id)
    await app.advance(3_600)
    assert (await bookings(app), await status(app, call_id)) == (["first", "second"], "done")


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
