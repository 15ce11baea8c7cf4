"""Where there is nothing to do any more about what was due, nothing is committed, and nobody looks at it again and again."""

from __future__ import annotations

import asyncio

import pytest

from apps import trips
from synovia.charges import Payer
from synovia.functions.context import MutationContext
from synovia.functions.registry import Registry, collect
from synovia.scheduler.due import Due
from synovia.scheduler.due_calls import DueCall, DueCalls, due_calls_query
from synovia.scheduler.reading import DueReading
from synovia.testing import TestApp
from synovia_protocol import codec

pytestmark = pytest.mark.same_tables


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("trips", [trips])


def nobody(_: str | None) -> Payer | None:
    return None


def call(due_at: int) -> DueCall:
    return DueCall(task="action", id="call", path="trips:pay", due_at=due_at)


async def test_a_server_s_own_work_that_writes_nothing_commits_nothing(app: TestApp) -> None:
    async def look(ctx: MutationContext) -> int:
        return 7

    before = await app.store.newest()
    outcome = await app.engine.transact(look)
    assert (outcome.value(), outcome.ts) == (7, None)
    assert await app.store.newest() == before


async def test_a_call_that_was_cancelled_since_it_was_read_is_looked_at_once_and_nothing_is_committed(
    app: TestApp,
) -> None:
    scheduler = app.scheduler
    call_id = await app.caller().mutation("trips:begin", {"path": "visit", "args": {"what": "Rome"}})
    scheduler._stopping = True
    await scheduler.take_up()
    scheduler._stopping = False
    assert await app.caller().mutation("trips:cancel", {"callId": call_id})
    before = await app.store.newest()
    for begun in (1, 0):
        for due in scheduler._due:
            scheduler._begin(due)
        assert len(scheduler._busy) == begun
        await asyncio.gather(*scheduler._busy.values())
    assert await app.store.newest() == before


async def test_what_was_found_to_be_done_is_looked_at_again_only_if_it_is_due_anew(app: TestApp) -> None:
    due = Due(due_calls_query, app.scheduler._calls, DueReading(nobody), alone=True)

    def read(ts: int, item: DueCall) -> list[DueCall]:
        due.read(codec.pack(DueCalls(items=[item]).model_dump(mode="json")), ts)
        return due.to_move_on()

    assert read(10, call(5)) == [call(5)]
    due.note(call(5), 12, None)
    assert due.to_move_on() == []
    assert read(12, call(5)) == [], "as of then there was nothing to do"
    assert not due.is_behind, "nothing has changed by that"
    assert read(12, call(11)) == [call(11)], "it was put off, and its time has come"
    assert read(13, call(5)) == [call(5)], "something has changed"
    due.note(call(5), 13, 14)
    assert due.to_move_on() == []
    assert due.is_behind
    assert read(14, call(5)) == [call(5)], "its next part is due already"
