"""What live queries remember of their last runs has a budget of bytes: within it a change costs no reading, beyond it the
log names the query, and it takes nothing away from the others."""

from __future__ import annotations

import asyncio
import logging

import pytest

from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from synovia import Index, MutationContext, QueryContext, Table, mutation, query
from synovia.engine import live_queries
from synovia.engine.engine import Engine
from synovia.engine.live_query import LiveQuery
from synovia.functions.registry import collect
from synovia.identity import Account

KIB = 1024


class Part(Table, name="parts", indexes=[Index("by_kind", "kind")]):
    kind: str
    text: str = ""


@query(public=True)
async def of_kind(ctx: QueryContext, kind: str, number: int = 0) -> int:
    return len(await ctx.db.query(Part).using("by_kind", kind=kind).collect())


@query(public=True)
async def listed(ctx: QueryContext, kind: str) -> list[Part]:
    return await ctx.db.query(Part).using("by_kind", kind=kind).collect()


@mutation(public=True)
async def add(ctx: MutationContext, kind: str, count: int = 1) -> None:
    for _ in range(count):
        await ctx.db.insert(Part(kind=kind, text="x" * 500))


REGISTRY = collect("parts", [__import__(__name__, fromlist=["add"])])
PATHS = {path.rpartition(":")[2]: path for path in REGISTRY.functions}


async def add_parts(engine: Engine, kind: str, count: int = 1) -> int:
    outcome = await engine.mutate(PATHS["add"], {"kind": kind, "count": count}, None)
    assert outcome.error is None
    await engine.wait_for(outcome.ts or 0)  # what is asked from now on is not run before
    return outcome.ts or 0


def hold(holder: RecordingSubscriber, name: str, kind: str, number: int, address: str) -> LiveQuery:
    account = Account(address, address)
    live = holder.engine.subscribe(holder, PATHS["of_kind"], {"kind": kind, "number": number}, None, account=account)
    holder.held[name] = live
    return live


@pytest.mark.slow
async def test_more_than_any_number_of_rows_is_remembered_if_there_is_room() -> None:
    async with running_engine(REGISTRY) as engine:
        for _ in range(6):
            await add_parts(engine, "a", 4000)
        holder = RecordingSubscriber(engine)
        live = holder.subscribe("all", PATHS["listed"], {"kind": "a"})
        await holder.settled()
        await holder.settled(await add_parts(engine, "a"))
        assert len(holder.value("all")) == 24_001
        assert live.recall.asked == 0
        assert engine.live.remembered.bytes > 24_000 * 500


async def test_a_query_without_room_reads_again_and_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with running_engine(REGISTRY, max_remembered_bytes=256 * KIB) as engine:
        await add_parts(engine, "small", 20)
        await add_parts(engine, "large", 1000)
        holder = RecordingSubscriber(engine)
        small, large = hold(holder, "small", "small", 0, "x"), hold(holder, "large", "large", 0, "x")
        with caplog.at_level(logging.WARNING, "synovia"):
            await holder.settled()
            for _ in range(3):
                await add_parts(engine, "small")
                await holder.settled(await add_parts(engine, "large"))
        assert holder.value("large") == 1003
        assert (small.recall.asked, large.recall.asked) == (0, 1)
        named = [record.getMessage() for record in caplog.records if "MAX_REMEMBERED_BYTES" in record.getMessage()]
        assert len(named) == 1, "once a minute, not at each change"
        assert PATHS["of_kind"] in named[0]
        assert "1000 documents" in named[0]
        assert engine.live.remembered.refused == 4
        assert 0 < engine.live.remembered.bytes <= 256 * KIB


async def test_one_address_leaves_room_for_others() -> None:
    async with running_engine(
        REGISTRY, max_remembered_bytes=600 * KIB, max_remembered_bytes_per_address=300 * KIB
    ) as engine:
        await add_parts(engine, "a", 100)
        holder = RecordingSubscriber(engine)
        loud = [hold(holder, f"loud {n}", "a", n, "loud") for n in range(10)]
        await holder.settled()
        quiet = hold(holder, "quiet", "a", 100, "quiet")
        await holder.settled()
        await holder.settled(await add_parts(engine, "a"))
        assert quiet.recall.asked == 0
        assert 0 < sum(live.recall.asked == 0 for live in loud) < 10


async def test_room_is_given_back_with_the_query() -> None:
    async with running_engine(REGISTRY) as engine:
        await add_parts(engine, "a", 100)
        holder = RecordingSubscriber(engine)
        hold(holder, "one", "a", 1, "x")
        hold(holder, "two", "a", 2, "x")
        await holder.settled()
        both = engine.live.remembered.bytes
        holder.unsubscribe("one")
        assert 0 < engine.live.remembered.bytes < both
        holder.unsubscribe("two")
        assert engine.live.remembered.bytes == 0
        hold(holder, "one", "a", 1, "x")
        await holder.settled(await add_parts(engine, "a"))
        assert engine.live.remembered.bytes > 0


async def test_a_query_that_reads_everything_again_rests_as_long_as_that_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_queries, "REST_AFTER_SECONDS", 0.0)
    async with running_engine(REGISTRY, max_remembered_bytes=10 * KIB) as engine:
        await add_parts(engine, "a", 100)
        holder = RecordingSubscriber(engine)
        live = hold(holder, "large", "a", 0, "x")
        while not live.loaded:  # noqa: ASYNC110 (just then)
            await asyncio.sleep(0)
        assert live.rests_until > 0.0
        small = hold(holder, "small", "b", 0, "x")
        await holder.settled(await add_parts(engine, "a"))
        assert holder.value("large") == 101
        assert small.rests_until == 0.0
