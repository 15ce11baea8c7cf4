"""Workflows wait in memory between their turns: a turn costs what is new, and what is kept counts for no more than rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from apps import news
from helpers.patience import PATIENCE
from scheduler.hubs import hub_beside
from synovia import MutationContext
from synovia.functions.registry import Registry, collect
from synovia.keys import BY_ID, Interval
from synovia.scheduler import sticky
from synovia.scheduler.settings import SchedulerSettings
from synovia.scheduler.workflows import WorkflowTransitions
from synovia.store.base import Batch, Conflict, Store, Ts
from synovia.testing import TestApp

KEEPING = SchedulerSettings(max_kept_workflows=3)


@pytest.fixture
def registry() -> Registry:
    news.BEGUN.clear()
    news.CLOSED.clear()
    return collect("news", [news])


@pytest.fixture
async def app(registry: Registry, any_store: Store) -> AsyncIterator[TestApp]:
    async with asyncio.timeout(PATIENCE), TestApp(registry, any_store, scheduler=KEEPING) as app:
        yield app


async def started(app: TestApp, path: str, /, **args: Any) -> str:
    call_id: str = await app.caller().mutation("news:begin", {"path": path, "args": args})
    await app.advance()
    return call_id


async def tell(app: TestApp, call_id: str, payload: str) -> None:
    await app.caller().mutation("news:send", {"callId": call_id, "name": "news", "payload": payload})
    await app.advance(2)


async def written(app: TestApp) -> list[str]:
    found: list[str] = await app.caller().query("news:lines")
    return found


async def test_one_that_waits_in_memory_goes_on_from_there(app: TestApp) -> None:
    call_id = await started(app, "following", name="a")
    for payload in ("1", "2", "3", "end"):
        await tell(app, call_id, payload)
    assert await written(app) == ["a 1", "a 2", "a 3"]
    assert await app.caller().query("news:status", {"callId": call_id}) == "done"
    assert (news.BEGUN, news.CLOSED) == (["a"], ["a"])


async def test_what_is_begun_early_may_be_awaited_in_a_later_turn(app: TestApp) -> None:
    await started(app, "holding")
    assert await written(app) == ["first", "later"]


async def test_a_turn_reads_what_is_new(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps it has begun, and still waits for."""
    turn, read = WorkflowTransitions.turn, list[int]()

    async def counted(self: WorkflowTransitions, ctx: MutationContext, *args: Any) -> Any:
        found = await turn(self, ctx, *args)
        read.append(ctx.db._transaction.documents_read)
        return found

    monkeypatch.setattr(WorkflowTransitions, "turn", counted)
    costs = []
    for size in (10, 60):
        call_id = await started(app, "wide", count=size)
        read.clear()
        for number in range(5):
            await app.caller().mutation("news:send", {"callId": call_id, "name": f"news {number}"})
            await app.advance()
        costs.append(max(read))
    assert costs[0] == costs[1]
    assert news.BEGUN == ["wide", "wide"]


async def test_two_hubs_may_take_turns_on_one(app: TestApp) -> None:
    call_id = await started(app, "following", name="a")
    async with hub_beside(app, settings=KEEPING) as other:
        for number, hub in enumerate((app, other, other, app, other)):
            await tell(hub, call_id, str(number))
        await tell(app, call_id, "end")
        assert await written(app) == [f"a {number}" for number in range(5)]
        assert await app.caller().query("news:status", {"callId": call_id}) == "done"
    # Whoever has not had the last turn runs it from its beginning: of seven times that hubs changed, or began.
    assert len(news.BEGUN) == 5


async def test_a_turn_that_is_not_committed_has_not_been(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is run again, from the beginning, and what it begins is begun once."""
    call_id = await started(app, "following", name="a")
    await tell(app, call_id, "1")
    commit, refused = app.store.commit, list[int]()

    async def refuse(batch: Batch) -> Ts:
        steps = [each for each in batch.writes if each.table == "_workflow_steps" and each.before is None]
        if steps and not refused:
            refused.append(len(steps))
            raise Conflict
        return await commit(batch)

    monkeypatch.setattr(app.store, "commit", refuse)
    await tell(app, call_id, "2")
    await tell(app, call_id, "end")
    assert refused
    assert await written(app) == ["a 1", "a 2"]
    assert await app.caller().query("news:status", {"callId": call_id}) == "done"
    rows = [each async for each in _steps(app)]
    assert len(rows) == len({each["number"] for each in rows}) == 7


async def _steps(app: TestApp) -> AsyncIterator[dict[str, Any]]:
    ts, _ = await app.store.newest()
    for each in await app.store.snapshot(ts).scan("_workflow_steps", BY_ID, Interval(b"", b"\xff")):
        yield dict(each)


async def test_of_too_many_those_are_dropped_that_have_waited_longest(app: TestApp) -> None:
    ids = [await started(app, "following", name=name) for name in "abcd"]
    await tell(app, ids[1], "1")
    assert news.BEGUN == ["a", "b", "c", "d"]
    await tell(app, ids[0], "1")
    assert news.BEGUN == ["a", "b", "c", "d", "a"]
    assert await written(app) == ["b 1", "a 1"]
    assert "a" in news.CLOSED


async def test_they_have_a_bound_of_bytes(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = app.scheduler._workflows._kept
    monkeypatch.setattr(kept, "_most_bytes", sticky._BYTES * 5)
    ids = [await started(app, "following", name=name) for name in "ab"]
    assert len(kept) == 2
    await tell(app, ids[0], "x" * 100_000)
    assert len(kept) == 1
    await tell(app, ids[1], "1")
    assert news.BEGUN.count("b") == 1, "the small one is still there"
    await tell(app, ids[0], "end")
    assert await app.caller().query("news:status", {"callId": ids[0]}) == "done"


async def test_nothing_waits_in_memory_when_its_hub_has_stopped(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store, scheduler=KEEPING) as app:
        await started(app, "following", name="a")
        kept = app.scheduler._workflows._kept
        assert len(kept) == 1
        await app.scheduler.stop()
        assert len(kept) == 0
