"""An action's end and the claim of the one that runs in its place are one commit; neither depends on the other."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from bson import ObjectId

from apps import pooled
from helpers.waiting import until
from scheduler.hubs import hub_beside, lose
from synovia.functions.registry import Registry, collect
from synovia.functions.scheduled_calls import queue_of
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

pytestmark = pytest.mark.same_tables


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("pooled", [pooled])


@pytest.fixture
def transactions(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the transactions of the hub by their paths."""
    counted, transact = Counter[str](), app.engine.transact

    async def counting(*args: Any, path: str, **options: Any) -> Any:
        counted[path] += 1
        return await transact(*args, path=path, **options)

    monkeypatch.setattr(app.engine, "transact", counting)
    return counted


async def plan(app: TestApp, times: int) -> None:
    await app.caller().mutation("pooled:plan", {"path": "pooled:paint", "times": times})


async def painted(app: TestApp) -> int:
    found: dict[str, int] = await app.caller().query("pooled:done")
    return found.get("picture", 0)


async def statuses(app: TestApp, status: str) -> int:
    return len(await app.caller().query("pooled:calls", {"status": status}))


async def until_done(app: TestApp, count: int) -> None:
    async with app.caller().subscribe("pooled:calls", {"status": "done"}) as done:
        async for calls in done:
            if len(calls) >= count:
                return


def awaits(app: TestApp, count: int) -> bool:
    """Tell whether the hub knows that so many wait for a place."""
    items = (item for due in app.scheduler._due for item in due.calls.items)
    return sum(item.id not in app.scheduler._busy for item in items) >= count


async def test_what_follows_is_claimed_by_the_end_of_what_was_before(
    app: TestApp, watch: pooled.Watch, transactions: Counter[str]
) -> None:
    await plan(app, 8)
    app.scheduler.start()
    await watch.until("pictures", 2)
    await until(lambda: awaits(app, 6))
    watch.open.set()
    await until_done(app, 8)
    assert (await painted(app), watch.most["pictures"]) == (8, 2)
    assert transactions["_scheduler:finish"] == 8
    assert transactions["_scheduler:claim"] < 8
    await until(lambda: app.scheduler.running == 0)
    assert not app.scheduler._lanes._taken.total(), "all places are given back"
    await app.scheduler.stop()


async def test_one_that_cannot_be_claimed_holds_up_no_end(app: TestApp, watch: pooled.Watch) -> None:
    await plan(app, 2)
    app.scheduler.start()
    await watch.until("pictures", 2)
    spoilt = {"_id": ObjectId(), "queue": queue_of("pictures"), "dueAt": 5, "path": "pooled:paint", "status": 7}
    await app.store.commit(Batch([Write("_scheduled", spoilt["_id"], None, spoilt)]))
    await until(lambda: awaits(app, 1))
    watch.open.set()
    await until(lambda: app.scheduler.failures.total.count == 1)
    await until(lambda: app.scheduler.running == 0)
    assert (await painted(app), await statuses(app, "done")) == (2, 2)
    assert not app.scheduler._lanes._taken.total()
    await app.scheduler.stop()


async def test_what_was_claimed_so_by_a_hub_that_is_lost_is_interrupted(
    app: TestApp, watch: pooled.Watch, transactions: Counter[str]
) -> None:
    """It belongs to the hub as if it had been claimed by itself: without a policy of trying again it is not run again."""
    await plan(app, 3)
    app.scheduler.start()
    await watch.until("pictures", 2)
    await until(lambda: awaits(app, 1))
    watch.open.set()
    watch.open.clear()  # those two go on, and the next one waits
    await until_done(app, 2)
    await watch.until("pictures", 1)
    assert await statuses(app, "running") == 1
    assert transactions["_scheduler:claim"] == 2
    await lose(app)
    async with hub_beside(app) as other:
        app.clock.advance(2 * SchedulerSettings().lease)
        await other.advance(raise_failures=False)
        assert (await statuses(other, "done"), await statuses(other, "failed")) == (2, 1)
        assert await painted(other) == 2
