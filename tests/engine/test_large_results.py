"""Large results: of bytes and of elements there is a limit, and what is made of them holds up nobody."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from helpers.recording_subscriber import RecordingSubscriber
from helpers.running_engine import running_engine
from synovia import MutationContext, QueryContext, Table, mutation, query
from synovia.engine import results
from synovia.functions.registry import collect
from synovia.transaction.rows import Packed, RowCache
from synovia_protocol import patch
from synovia_protocol.errors import ErrorCode


class Number(Table, name="numbers"):
    n: int


@query(public=True)
async def numbers(ctx: QueryContext, count: int) -> list[int]:
    newest = await ctx.db.query(Number).order("desc").first()
    return [*range(count - 1), newest.n if newest else 0]


@query(public=True)
async def nested(ctx: QueryContext, lists: int, items: int) -> list[dict[str, list[int]]]:
    return [{"a": [1] * items}] * lists


@query(public=True)
async def text(ctx: QueryContext, length: int) -> str:
    return "å" * length


@mutation(public=True)
async def note(ctx: MutationContext, n: int) -> None:
    await ctx.db.insert(Number(n=n))


REGISTRY = collect("numbers", [__import__(__name__, fromlist=["note"])])
PATHS = {path.rpartition(":")[2]: path for path in REGISTRY.functions}


@pytest.mark.parametrize(("lists", "items", "refused"), [(10, 8, False), (10, 9, True), (34, 1, True), (33, 1, False)])
async def test_elements_are_counted_with_all_that_they_hold(lists: int, items: int, refused: bool) -> None:
    async with running_engine(REGISTRY, max_result_elements=100) as engine:
        outcome = await engine.query(PATHS["nested"], {"lists": lists, "items": items}, None)
        assert (outcome.error is not None) == refused
        if outcome.error is not None:
            assert outcome.error.code == ErrorCode.TOO_LARGE
            assert outcome.error.data["unit"] == "elements"
            assert outcome.error.data["limit"] == 100
            assert outcome.error.data["size"] > 100
            assert "in pages" in outcome.error.message


async def test_a_text_has_no_elements() -> None:
    async with running_engine(REGISTRY, max_result_elements=100) as engine:
        assert (await engine.query(PATHS["text"], {"length": 10_000}, None)).value() == "å" * 10_000


async def test_a_large_result_is_made_and_compared_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    made_in: list[threading.Thread] = []
    diff, packed = patch.diff, results._packed

    def noted_diff(old: Any, new: Any) -> Any:
        made_in.append(threading.current_thread())
        return diff(old, new)

    def noted_packed(value: Any) -> Any:
        made_in.append(threading.current_thread())
        return packed(value)

    monkeypatch.setattr(patch, "diff", noted_diff)
    monkeypatch.setattr(results, "_packed", noted_packed)
    async with running_engine(REGISTRY) as engine:
        holder = RecordingSubscriber(engine)
        for count, in_main in ((100, True), (200_000, False)):
            made_in.clear()
            holder.subscribe("all", PATHS["numbers"], {"count": count})
            await holder.settled()
            outcome = await engine.mutate(PATHS["note"], {"n": count}, None)
            await holder.settled(outcome.ts or 0)
            assert holder.value("all")[-1] == count
            where = [thread is threading.main_thread() for thread in made_in]
            # the result of the mutation is small, and made where it runs
            assert where == ([True] * 4 if in_main else [False, True, False, False])
            holder.unsubscribe("all")


async def test_others_go_on_while_rows_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synovia.turns.SLICE_SECONDS", 0.0)
    cache, dumped = RowCache(), 0
    rows = [Number(n=n) for n in range(320)]

    def dump(row: Table) -> Packed:
        nonlocal dumped
        dumped += 1
        return Packed(None, b"", frozenset())

    packing, seen = asyncio.create_task(cache.pack(rows, dump)), [0]
    while not packing.done():
        await asyncio.sleep(0)
        seen.append(dumped)
    assert len(set(seen)) >= 20
