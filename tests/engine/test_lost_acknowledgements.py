"""Lost acknowledgements, and retries that overtake the first run: a mutation takes place once, and its client is told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from apps import board
from helpers.patience import PATIENCE
from synovia.engine.engine import Engine
from synovia.engine.entries import Entry
from synovia.functions.registry import collect
from synovia.store.base import Batch, NothingWritten, RequestRecord, StoreFull, StoreReadOnly, StoreUnavailable, Ts
from synovia.store.sqlite import SQLiteStore
from synovia.testing import TestApp

SESSION = b"s" * 16


class ForgetfulStore(SQLiteStore):
    """A real store behind a bad link.

    Attributes:
        losing: So many commits take place without an acknowledgement.
        unreachable: Nothing can be committed, and nobody can tell why.
        refusing: Nothing can be committed, as for want of room.
        meanwhile: Runs once between finding out that a request has no record and saying so.
    """

    losing = 0
    unreachable = False
    refusing: NothingWritten | None = None
    meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def commit(self, batch: Batch) -> Ts:
        if self.unreachable:
            raise StoreUnavailable("nobody is there")
        if self.refusing is not None:
            raise self.refusing
        ts = await super().commit(batch)
        if self.losing:
            self.losing -= 1
            raise StoreUnavailable("the acknowledgement was lost")
        return ts

    async def find_request(self, session: bytes, number: int) -> RequestRecord | None:
        found = await super().find_request(session, number)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return found


@pytest.fixture
async def app() -> AsyncIterator[TestApp]:
    async with asyncio.timeout(PATIENCE), TestApp(collect("board", [board]), ForgetfulStore(":memory:")) as app:
        yield app


def store_of(app: TestApp) -> ForgetfulStore:
    assert isinstance(app.store, ForgetfulStore)
    return app.store


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("board:add", {"slug": "x"}),
    ("board:add_if_fewer", {"slug": "x", "board": "b", "most": 1}),
    ("board:bump", {"slug": "there"}),
    ("board:remove", {"slug": "there"}),
]


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("path", "args"), CALLS, ids=[path for path, _ in CALLS])
async def test_a_commit_without_an_acknowledgement_is_told_as_what_it_is(
    app: TestApp, path: str, args: dict[str, Any], times: int
) -> None:
    await app.caller().mutation("board:add", {"slug": "there"})
    store_of(app).losing = times
    outcome = await app.engine.mutate(path, args, None, session=SESSION, number=1)
    assert outcome.error is None
    assert outcome.value() not in (None, False)
    again = await app.engine.mutate(path, args, None, session=SESSION, number=1, retry=True)
    assert again.value() == outcome.value()
    card = await app.caller().query("board:by_slug", {"slug": "there"})
    assert (card or {}).get("rank") == {"board:bump": 1, "board:remove": None}.get(path, 0)


async def test_a_call_that_nobody_can_repeat_is_committed_once_all_the_same(app: TestApp) -> None:
    await app.caller().mutation("board:add", {"slug": "there"})
    store_of(app).losing = 1
    assert (await app.engine.mutate("board:bump", {"slug": "there"}, None)).value() == 1


@pytest.mark.parametrize("late", [False, True])
async def test_a_commit_whose_acknowledgement_was_lost_is_no_fault_once_the_log_has_brought_it(
    app: TestApp, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    store, told = store_of(app), asyncio.Event()
    commit = store.commit

    async def losing(batch: Batch) -> Ts:
        try:
            return await commit(batch)
        except StoreUnavailable:
            if late:
                await told.wait()
            raise

    monkeypatch.setattr(store, "commit", losing)
    store.losing = 1
    assert (await app.engine.mutate("board:add", {"slug": "x"}, None)).error is None
    told.set()
    for _ in range(5):  # until the committer has heard of it
        await asyncio.sleep(0)
    assert app.engine.committer.fault is None


async def test_an_outcome_that_nobody_knows_is_not_told_as_a_failure(app: TestApp) -> None:
    app.engine.committer._patience = 0.1
    store = store_of(app)
    await app.caller().mutation("board:add", {"slug": "there"})
    store.unreachable = True
    outcome = await app.engine.mutate("board:bump", {"slug": "there"}, None, session=SESSION, number=1)
    assert outcome.unknown
    store.unreachable = False
    again = await app.engine.mutate("board:bump", {"slug": "there"}, None, session=SESSION, number=1, retry=True)
    assert again.value() == 1


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize(
    ("refusing", "told"), [(StoreFull("no room"), "has no room"), (StoreReadOnly("read-only"), "takes no changes")]
)
async def test_a_commit_that_is_not_written_is_told_as_a_failure_unless_an_earlier_one_may_have_been(
    app: TestApp, refusing: NothingWritten, told: str, retry: bool
) -> None:
    app.engine.committer._patience = 0.1
    await app.caller().mutation("board:add", {"slug": "there"})
    store_of(app).refusing = refusing
    outcome = await app.engine.mutate("board:bump", {"slug": "there"}, None, session=SESSION, number=1, retry=retry)
    assert outcome.error is not None
    assert (outcome.error.code, outcome.unknown) == ("overloaded", retry)
    assert retry or told in outcome.error.message
    store_of(app).refusing = None
    again = await app.engine.mutate("board:bump", {"slug": "there"}, None, session=SESSION, number=2)
    assert again.value() == 1


@pytest.mark.parametrize(("path", "args"), CALLS[:2], ids=["add", "add_if_fewer"])
async def test_a_retry_that_the_first_run_overtakes_gets_its_result(
    app: TestApp, path: str, args: dict[str, Any]
) -> None:
    first: list[Any] = []

    async def first_run() -> None:
        first.append((await app.engine.mutate(path, args, None, session=SESSION, number=1)).value())

    store_of(app).meanwhile = first_run
    retry = await app.engine.mutate(path, args, None, session=SESSION, number=1, retry=True)
    assert [retry.value()] == first
    assert first != [False]


async def test_a_first_run_that_was_held_up_does_not_take_place_after_its_retry_was_told_of_a_failure(
    app: TestApp,
) -> None:
    """Two hubs on one store: the first run stands still on one, while its retry fails on the other."""
    caller = app.caller()
    held, go_on = asyncio.Event(), asyncio.Event()
    slow = Engine(app.store, app.registry)
    stage_run = slow._mutations._stage_run

    async def held_up(*args: Any, **options: Any) -> Entry | None:
        held.set()
        await go_on.wait()
        return await stage_run(*args, **options)

    slow._mutations._stage_run = held_up  # type: ignore[method-assign]
    await slow.start()
    args = {"slug": "x"}
    first = asyncio.create_task(slow.mutate("board:add", args, None, session=SESSION, number=1))
    await held.wait()
    await caller.mutation("board:add", args)
    retry = await app.engine.mutate("board:add", args, None, session=SESSION, number=1, retry=True)
    assert retry.error is not None
    assert retry.error.code == "unique_violation"
    await caller.mutation("board:remove", args)
    go_on.set()
    outcome = await first
    await slow.stop()
    assert outcome.error == retry.error
    assert await caller.query("board:by_slug", args) is None
