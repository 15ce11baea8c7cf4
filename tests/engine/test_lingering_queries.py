"""What live queries leave behind when nobody holds them any more is bounded, and the oldest goes first."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest

from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from synovia import QueryContext, query
from synovia.engine.engine import Engine
from synovia.functions.registry import collect
from synovia.identity import SERVER, Account
from synovia.transaction import footprint as measured

MIB = 1 << 20
WORDS = 50
TEXT = 500
"""A result has about 25 kB."""
gate = asyncio.Event()


@query(public=True)
async def words(ctx: QueryContext, number: int) -> list[str]:
    return [f"{number} {place} {'x' * TEXT}" for place in range(WORDS)]


@query(public=True)
async def length(ctx: QueryContext, text: str) -> int:
    return len(text)


@query(public=True)
async def never(ctx: QueryContext, number: int) -> None:
    await asyncio.Event().wait()


@query(public=True)
async def gated(ctx: QueryContext) -> str:
    await gate.wait()
    return "open"


REGISTRY = collect("many", [__import__(__name__, fromlist=["words"])])


async def ask_once(engine: Engine, number: int, account: Account = SERVER, path: str = "words", **args: str) -> None:
    """Subscribe, wait for the first result, and leave."""
    holder = RecordingSubscriber(engine)
    asked: dict[str, Any] = {**args} or {"number": number}
    holder.held["it"] = engine.subscribe(holder, path_of(path), asked, None, account=account)
    await holder.settled()
    holder.unsubscribe("it")


def path_of(name: str) -> str:
    return next(path for path in REGISTRY.functions if path.endswith(f":{name}"))


@pytest.mark.slow
async def test_800_queries_asked_once_leave_no_more_than_the_budget() -> None:
    async with running_engine(REGISTRY, max_lingering_bytes=MIB) as engine:
        await ask_once(engine, -1)
        tracemalloc.start()
        for number in range(800):
            await ask_once(engine, number)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        lingering = engine.live.lingering
        assert 0.9 * MIB < lingering.bytes <= MIB
        assert len(engine.live) == len(lingering) < 41
        assert held < 2 * MIB, "the estimate is not far from the truth; 800 results have 20 MB encoded"


async def test_their_arguments_count_too() -> None:
    async with running_engine(REGISTRY, max_lingering_bytes=MIB) as engine:
        for number in range(20):
            await ask_once(engine, number, path="length", text=f"{number}" + "x" * (MIB // 10))
        lingering = engine.live.lingering
        assert 0 < len(engine.live) == len(lingering) <= 5, "encoded and decoded, each takes a fifth of what there is"


async def test_the_oldest_goes_first_and_who_comes_back_in_time_finds_the_result() -> None:
    async with running_engine(REGISTRY, max_lingering_bytes=MIB // 4) as engine:
        for number in range(20):
            await ask_once(engine, number)
        kept = [live.arguments()["number"] for live in engine.live]
        assert 0 < len(kept) < 20
        assert kept == list(range(20 - len(kept), 20))
        live = engine.subscribe(RecordingSubscriber(engine), path_of("words"), {"number": 19}, None)
        assert live.loaded
        assert len(engine.live.lingering) == len(kept) - 1, "what is held again is not counted any more"


async def test_who_leaves_a_query_has_nothing_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_engine(REGISTRY) as engine:
        holder = RecordingSubscriber(engine)
        holder.held["it"] = engine.subscribe(holder, path_of("words"), {"number": 1}, None, account=SERVER)
        await holder.settled()

        def look(value: object) -> int:
            raise AssertionError("something was measured")

        monkeypatch.setattr(measured, "_getsizeof", look)
        holder.unsubscribe("it")
        assert engine.live.lingering.bytes > WORDS * TEXT


async def test_an_address_pushes_out_only_its_own() -> None:
    async with running_engine(
        REGISTRY, max_lingering_bytes=8 * MIB, max_lingering_bytes_per_address=MIB // 4
    ) as engine:
        await ask_once(engine, -1, Account("quiet", 1))
        for number in range(100):
            await ask_once(engine, number, Account("loud", number))
        assert engine.live.lingering.bytes < MIB // 2
        assert -1 in [live.arguments()["number"] for live in engine.live]


async def test_nothing_is_left_of_a_query_that_nobody_waited_for() -> None:
    async with running_engine(REGISTRY) as engine:
        holder = RecordingSubscriber(engine)
        for number in range(200):  # more than there are places to run in
            holder.subscribe(str(number), path_of("never"), {"number": number})
        await asyncio.sleep(0)
        for number in range(200):
            holder.unsubscribe(str(number))
        assert len(engine.live) == 0
        await ask_once(engine, 1)


async def test_a_query_that_is_left_and_joined_again_while_it_runs_is_run_again() -> None:
    gate.clear()
    async with running_engine(REGISTRY) as engine:
        holder = RecordingSubscriber(engine)
        for _ in range(3):
            holder.subscribe("it", path_of("gated"), {})
            await asyncio.sleep(0)
            holder.unsubscribe("it")
        holder.subscribe("it", path_of("gated"), {})
        gate.set()
        await holder.settled()
        assert holder.value("it") == "open"
