"""Of calls with large arguments few are read at once, however many are due; all are run, and removed in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from apps import many, tally, trips
from scheduler.hubs import do_what_is_due
from scheduler.scheduled import later
from synovia.functions.registry import Registry, collect
from synovia.functions.scheduled_calls import LARGE_BYTES, ScheduledCall
from synovia.keys import BY_ID
from synovia.scheduler.due_calls import LARGE_WINDOW
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Store
from synovia.testing import TestApp
from synovia.testing.stores.steps import EVERYTHING

pytestmark = pytest.mark.same_tables

LONG = "x" * (LARGE_BYTES + 1)
KEEP = SchedulerSettings(keep=60.0)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("tally", [tally, many, trips])


async def rows_of(app: TestApp) -> AsyncIterator[dict[str, Any]]:
    snapshot = app.store.snapshot((await app.store.newest())[0])
    for row in await snapshot.scan(ScheduledCall.spec.name, BY_ID, EVERYTHING):
        yield row


async def documents_read(app: TestApp) -> int:
    """Tell how many calls are looked at to see what is due."""
    outcomes = [await app.engine.run_system_query(due.query) for due in app.scheduler._due]
    return sum(len(outcome.value()["items"]) for outcome in outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("callers", [1, 6])
async def test_few_of_them_are_looked_at_and_others_do_not_wait_behind_them(
    registry: Registry, any_store: Store, callers: int
) -> None:
    async with TestApp(registry, any_store) as app:
        for number in range(callers):
            await later(app.caller(f"{number}@example.org"), "tally:add", times=30, name=LONG)
        await later(app.caller("alice@example.org"), "tally:add", times=3, name="short")
        read = await documents_read(app)
        assert 3 + LARGE_WINDOW <= read <= 3 + 3 * LARGE_WINDOW
        await app.advance()
        assert await app.caller().query("tally:tallies") == {LONG: 30 * callers, "short": 3}


async def test_what_many_schedule_at_once_is_large_too(registry: Registry) -> None:
    async with TestApp(registry) as app:
        count = 3 * LARGE_WINDOW + 5
        await app.caller().mutation("many:plan", {"count": count, "padding": LARGE_BYTES})
        await do_what_is_due(app)  # makes rows of the first batch
        large = [row.get("large") async for row in rows_of(app)]
        assert large
        assert set(large) == {True}
        await app.advance()
        assert len(await app.caller().query("many:marks")) == count


async def test_when_they_have_been_kept_they_are_removed_a_few_at_a_time(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store, scheduler=KEEP) as app:
        await later(app.caller(), "tally:add", times=3 * LARGE_WINDOW, name=LONG)
        await later(app.caller(), "tally:add", times=3, name="short")
        await app.advance()
        assert len(await app.caller().query("tally:calls", {"status": "done"})) == 3 * LARGE_WINDOW + 3
        await app.advance(120)
        assert await app.caller().query("tally:calls", {"status": "done"}) == []
