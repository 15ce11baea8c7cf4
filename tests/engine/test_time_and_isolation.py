"""Time as a tracked read, and mutations that ask for less than serializability."""

from __future__ import annotations

import asyncio

import pytest

from support import board
from support.holder import Holder
from synovia.functions.registry import Registry, collect
from synovia.store.base import Store
from synovia.testing import TestApp


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


async def test_answers_that_depend_on_the_time_disappear_by_themselves(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, holder = app.caller(), Holder(app.engine)
        app.clock.now = 1000.0
        for second in (990, 995):
            await caller.mutation("board:add", {"slug": f"at {second}", "rank": second})
        live = holder.subscribe("fresh", "board:touched_within", {"board": "a", "seconds": 30})
        await holder.settled()
        assert holder.value("fresh") == ["at 990", "at 995"]
        await app.advance(19)
        assert live.dirty_at is None
        await app.advance(2)
        await holder.settled()
        assert holder.value("fresh") == ["at 995"]
        await app.advance(5)
        await holder.settled()
        assert holder.value("fresh") == []
        await app.advance(1000)
        assert live.dirty_at is None  # nothing left that could fall out


async def test_a_query_that_only_looks_at_the_clock_follows_it_by_the_second(registry: Registry) -> None:
    async with TestApp(registry) as app:
        holder = Holder(app.engine)
        app.clock.now = 50.0
        holder.subscribe("clock", "board:clock", {})
        await holder.settled()
        for expected in (51, 52, 60):
            await app.advance(expected - app.clock.now)
            await holder.settled()
            assert holder.value("clock") == expected


async def test_a_query_without_subscribers_is_not_run_by_the_clock(registry: Registry) -> None:
    async with TestApp(registry) as app:
        holder = Holder(app.engine)
        live = holder.subscribe("clock", "board:clock", {})
        await holder.settled()
        holder.unsubscribe("clock")
        await app.advance(5)
        await asyncio.sleep(0)
        assert live.target is None
        assert live.dirty_at is not None


async def test_snapshot_isolation_admits_write_skew_but_loses_no_write(registry: Registry, any_store: Store) -> None:
    async with TestApp(registry, any_store) as app:
        caller = app.caller()
        calls = (
            caller.mutation("board:add_if_fewer_snapshot", {"slug": f"x{n}", "board": "s", "most": 1}) for n in range(6)
        )
        assert sum(await asyncio.gather(*calls)) > 1
        await caller.mutation("board:add", {"slug": "x"})
        results = await asyncio.gather(*(caller.mutation("board:bump_snapshot", {"slug": "x"}) for _ in range(20)))
        assert sorted(results) == list(range(1, 21))
