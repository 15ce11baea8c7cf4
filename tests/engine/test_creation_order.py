"""Ids are in the order of creation: in a mutation, between mutations, across hubs and restarts, whatever the clocks say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from apps import messages
from synovia.engine.engine import Engine
from synovia.engine.entries import Submission
from synovia.engine.freshness import Floor
from synovia.functions.registry import Registry, collect
from synovia.schema import IdClock, RunIds, time_of_id
from synovia.store.base import Store
from synovia.store.mongo import MongoStore
from synovia.store.sqlite import SQLiteStore
from synovia.testing import Clock, TestApp
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import ReadSet

pytestmark = pytest.mark.same_tables


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("messages", [messages])


@pytest.fixture
async def app(registry: Registry, any_store: Store) -> AsyncIterator[TestApp]:
    async with TestApp(registry, any_store) as app:
        yield app


async def test_of_thirty_messages_the_newest_five_are_the_last_five(app: TestApp) -> None:
    anna = app.caller()
    for number in range(30):
        await anna.mutation("messages:send", {"text": str(number)})
    assert [each["text"] for each in await anna.query("messages:newest")] == ["29", "28", "27", "26", "25"]


async def test_what_one_mutation_inserts_is_in_the_order_of_insertion(app: TestApp) -> None:
    made = await app.caller().mutation("messages:send_many", {"count": 300})
    assert made == sorted(made)
    assert await app.caller().query("messages:texts") == [str(number) for number in range(300)]


async def test_an_answer_comes_after_what_it_answers_also_when_it_was_begun_before(app: TestApp) -> None:
    anna, gate = app.caller(), messages.Gate()
    messages.gate = gate
    try:
        answering = asyncio.create_task(anna.mutation("messages:answer"))
        await gate.reached.wait()
        await anna.mutation("messages:send", {"text": "hello"})  # overtakes what the answer has read
        gate.open.set()
        await answering
    finally:
        messages.gate = None
    assert await anna.query("messages:texts") == ["hello", "re: hello"]


async def test_a_clock_that_goes_back_or_leaps_ahead_changes_no_order(app: TestApp) -> None:
    anna, began = app.caller(), app.clock.now
    for number, step in enumerate([0, -3600, 1, 86_400, -86_400, 0.001]):
        app.clock.now += step
        await anna.mutation("messages:send", {"text": str(number)})
    assert await anna.query("messages:texts") == list("012345")
    # whose clock was right when is not known, but an id that runs ahead does not make the time of day wrong
    told = [time / 1000 - began for time in await anna.query("messages:times")]
    expected = [0, -3600, -3599, 82_801, -3599, -3599]
    assert [round(each) for each in told] == expected


@pytest.mark.parametrize("back", [0, 3600])
async def test_ids_go_on_after_a_restart(registry: Registry, tmp_path: Path, back: float) -> None:
    url, clock = f"sqlite:///{tmp_path}/messages.db", Clock()
    for number in range(3):
        async with TestApp(registry, url, clock=clock) as app:
            await app.caller().mutation("messages:send", {"text": str(number)})
            clock.advance(-back)
    async with TestApp(registry, url, clock=clock) as app:
        assert await app.caller().query("messages:texts") == ["0", "1", "2"]


@pytest.mark.mongodb
@pytest.mark.parametrize("ahead", [0.0, 0.003, 3600.0])
async def test_hubs_keep_the_order_of_what_was_acknowledged(
    registry: Registry, mongodb_uri: str, database_name: str, ahead: float
) -> None:
    clocks = [Clock(1_790_000_000 + ahead), Clock(1_790_000_000)]
    async with AsyncExitStack() as stack:
        hubs = [
            await stack.enter_async_context(TestApp(registry, MongoStore(mongodb_uri, database_name), clock=clock))
            for clock in clocks
        ]
        for number in range(40):
            await send(hubs[number % 2], str(number))
            for clock in clocks:
                clock.advance(0.001)
        for hub in hubs:
            await hub.engine.wait_for((await hub.store.newest())[0])
            assert await hub.caller().query("messages:texts") == [str(number) for number in range(40)]


async def send(hub: TestApp, text: str) -> None:
    """Send a message, and return once it is acknowledged, whatever the other hub knows by then."""
    outcome = await hub.engine.mutate("messages:send", {"text": text}, None)
    assert outcome.error is None


@pytest.mark.mongodb
async def test_a_hub_that_starts_later_goes_on_from_the_ids_there_are(
    registry: Registry, mongodb_uri: str, database_name: str
) -> None:
    now = 1_790_000_000
    for number, behind in enumerate([0, 7200, 10]):
        async with TestApp(registry, MongoStore(mongodb_uri, database_name), clock=Clock(now - behind)) as app:
            await app.caller().mutation("messages:send", {"text": str(number)})
            texts: Any = await app.caller().query("messages:texts")
    assert texts == ["0", "1", "2"]


@pytest.mark.mongodb
async def test_hubs_that_send_at_the_same_time_ask_how_far_the_database_is(
    registry: Registry, mongodb_uri: str, database_name: str
) -> None:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(TestApp(registry, MongoStore(mongodb_uri, database_name), clock=Clock(now)))
            for now in (1_790_000_000, 1_790_000_000 + 3600)
        ]
        floors: list[int | None] = []
        overtakes = one.engine.stage._overtakes

        def looking(commit: KeyedCommit, submission: Submission) -> bool:
            floors.append(None if submission.floor is None else submission.floor.ts)
            return overtakes(commit, submission)

        one.engine.stage._overtakes = looking  # type: ignore[method-assign]
        while not any(floors):  # until both have committed something at the same time, twice
            other.clock.advance(0.01)
            await asyncio.gather(*(send(hub, "x") for _ in range(5) for hub in (one, other)))
        assert one.engine.stage.hears_of_others


async def test_what_was_committed_after_a_mutation_began_does_not_make_it_run_again(registry: Registry) -> None:
    engine = Engine(SQLiteStore(), registry)
    ids = RunIds(IdClock(lambda: 1_790_000_000_000))
    ids.make()
    assert ids.first is not None
    greater = KeyedCommit(70, (), fence=3, clock=ids.first + 1)
    for floor, again in ((None, True), (Floor(), True), (Floor(69), False), (Floor(70), True)):
        submission = Submission(ReadSet(), ReadSet(), (), None, KeyedCommit(0, ()), ids, floor)
        assert engine.stage._overtakes(greater, submission) is again


async def test_documents_say_when_they_were_made(app: TestApp) -> None:
    anna, now = app.caller(), int(app.clock.now * 1000)
    made = await anna.mutation("messages:send", {"text": "a"})
    assert time_of_id(made) == now
    assert await anna.query("messages:times") == [now]
    await anna.mutation("messages:publish", {"title": "now"})
    await anna.mutation("messages:publish", {"title": "under a name", "id": "name"})
    old = await anna.mutation("messages:publish", {"title": "imported", "id": "j57d", "at": 1_700_000_000_000.25})
    await anna.mutation("messages:retitle", {"id": old, "title": "from elsewhere"})
    ordered = [
        ["from elsewhere", 1_700_000_000_000],
        ["under a name", now],
        ["now", now],
    ]  # text sorts before ObjectIds
    assert await anna.query("messages:articles") == ordered
    assert await anna.query("messages:articles", {"since": 1_700_000_000_001}) == ordered[1:]
