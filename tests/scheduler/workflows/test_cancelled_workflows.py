"""What a workflow has done is taken back, what it has begun is given up: when it fails, and when it is cancelled."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from apps import trips
from helpers.patience import PATIENCE
from helpers.running_hub import running_hub
from scheduler.hubs import do_what_is_due
from scheduler.workflows.trip_calls import begin, bookings, cancel, ending, error, resume, status, steps
from synovia.functions.registry import Registry
from synovia.store.base import Batch, Ts
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables


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
