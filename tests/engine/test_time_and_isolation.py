"""Time as a tracked read, and mutations that ask for less than serializability."""

from __future__ import annotations

import asyncio

import pytest

from apps import board
from helpers.patience import PATIENCE
from helpers.recording_subscriber import RecordingSubscriber
from synovia.functions.registry import Registry, collect
from synovia.store.base import Store
from synovia.testing import TestApp


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("board", [board])


async def test_answers_that_depend_on_the_time_disappear_by_themselves(registry: Registry) -> None:
    async with TestApp(registry) as app:
        caller, holder = app.caller(), RecordingSubscriber(app.engine)
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
        holder = RecordingSubscriber(app.engine)
        app.clock.now = 50.0
        holder.subscribe("clock", "board:clock", {})
        await holder.settled()
        for expected in (51, 52, 60):
            await app.advance(expected - app.clock.now)
            await holder.settled()
            assert holder.value("clock") == expected


async def test_answers_of_a_time_that_was_wrong_are_found_anew_when_the_clock_is_set_back(registry: Registry) -> None:
    async with TestApp(registry) as app:
        app.clock.now = 1000.0
        await app.caller().mutation("board:add", {"slug": "at 1000", "rank": 1000})
        args = {"board": "a", "seconds": 30}
        async with app.caller().subscribe("board:touched_within", args) as fresh:
            assert fresh.value == ["at 1000"]
            await app.advance(86_400)
            async with app.caller().subscribe("board:clock") as clock:  # holds for a second, ahead
                assert (fresh.value, clock.value) == ([], 87_400)
                app.clock.now = 1010.0
                await app.advance()
                assert (fresh.value, clock.value) == (["at 1000"], 1010)  # what held until something is written, too


async def test_a_clock_that_is_moved_is_noticed_though_the_loop_has_slept_little(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synovia.engine.expiries.LONGEST_SLEEP", 0.01)
    async with TestApp(registry) as app, asyncio.timeout(PATIENCE):
        app.clock.now = 1000.0
        await app.caller().mutation("board:add", {"slug": "at 1000", "rank": 1000})
        seen = []
        async for fresh in app.caller().subscribe("board:touched_within", {"board": "a", "seconds": 3_600}):
            seen.append(fresh)
            if not fresh:
                break
            app.clock.advance(3_601)  # as on a machine that slept
        assert seen == [["at 1000"], []]


async def test_a_query_without_subscribers_is_not_run_by_the_clock(registry: Registry) -> None:
    async with TestApp(registry) as app:
        holder = RecordingSubscriber(app.engine)
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
