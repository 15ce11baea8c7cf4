"""A mutation that writes much: it has limits that say what to do instead, and nobody else waits for the whole of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

import pytest

from helpers.running_engine import running_engine
from synovia import FunctionError, Index, MutationContext, QueryContext, SearchIndex, Table, mutation, query, turns
from synovia.engine.engine import Engine
from synovia.engine.outcomes import Outcome
from synovia.functions.registry import collect
from synovia.store.base import Batch, Ts
from synovia.store.sqlite import SQLiteStore
from synovia_protocol.errors import ErrorCode


class Sample(Table, name="samples", indexes=[Index("by_kind", "kind")]):
    kind: str
    text: str = ""


class Text(Table, name="texts", indexes=[SearchIndex("by_text", "text")]):
    text: str
    title: str = ""


inserted = 0


@mutation(public=True)
async def fill(ctx: MutationContext, kind: str, count: int, size: int = 0) -> int:
    global inserted
    for _ in range(count):
        await ctx.db.insert(Sample(kind=kind, text="x" * size))
        inserted += 1
    return count


@mutation(public=True)
async def write(ctx: MutationContext, text: str) -> None:
    await ctx.db.insert(Text(text=text))


@mutation(public=True)
async def rename(ctx: MutationContext, text: str, title: str) -> None:
    [row] = await ctx.db.query(Text).collect()
    await ctx.db.patch(row, text=text, title=title)


@mutation(public=True)
async def fill_regardless(ctx: MutationContext, kind: str, count: int) -> int:
    for _ in range(count):
        with contextlib.suppress(FunctionError):
            await ctx.db.insert(Sample(kind=kind))
    return count


@mutation(public=True)
async def clear(ctx: MutationContext, kind: str) -> None:
    for row in await ctx.db.query(Sample).using("by_kind", kind=kind).collect():
        await ctx.db.delete(row)


@mutation(public=True)
async def never_end(ctx: MutationContext) -> None:
    await ctx.db.insert(Sample(kind="never"))
    await ctx.db.query(Sample).collect()
    await asyncio.Event().wait()


@mutation(public=True)
async def wait_for_nothing(ctx: MutationContext) -> None:
    await ctx.db.query(Sample).collect()
    await asyncio.Event().wait()


@query(public=True)
async def count(ctx: QueryContext, kind: str) -> int:
    return await ctx.db.query(Sample).using("by_kind", kind=kind).count()


REGISTRY = collect("samples", [__import__(__name__, fromlist=["fill"])])
PATHS = {path.rpartition(":")[2]: path for path in REGISTRY.functions}


class HeldStore(SQLiteStore):
    """A store whose commits wait until they are let go; it notes how much each of them writes."""

    def __init__(self) -> None:
        super().__init__()
        self.open_door = asyncio.Event()
        self.open_door.set()
        self.waiting = 0
        self.sizes: list[int] = []

    async def commit(self, batch: Batch) -> Ts:
        self.waiting += 1
        await self.open_door.wait()
        self.sizes.append(len(batch.writes))
        return await super().commit(batch)


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


async def run(engine: Engine, name: str, **args: Any) -> Outcome:
    return await engine.mutate(PATHS[name], args, None)


async def counted(engine: Engine, kind: str) -> Any:
    return (await engine.query(PATHS["count"], {"kind": kind}, None)).value()


async def test_a_mutation_writes_as_many_documents_as_it_may_and_not_one_more() -> None:
    async with running_engine(REGISTRY, max_mutation_documents=20) as engine:
        assert (await run(engine, "fill", kind="a", count=20)).error is None
        error = (await run(engine, "fill", kind="b", count=21)).error
        assert error is not None
        assert error.code == ErrorCode.MUTATION_TOO_LARGE
        assert error.data == {"limit": "documents", "most": 20}
        assert "at most 20 documents" in error.message
        assert "run_after" in error.message
        assert "run_many" in error.message
        assert await counted(engine, "a") == 20
        assert await counted(engine, "b") == 0


async def test_a_function_that_goes_on_regardless_has_failed_all_the_same() -> None:
    async with running_engine(REGISTRY, max_mutation_documents=20) as engine:
        error = (await run(engine, "fill_regardless", kind="a", count=21)).error
        assert error is not None
        assert error.code == ErrorCode.MUTATION_TOO_LARGE
        assert await counted(engine, "a") == 0


async def test_bytes_count_as_well_also_those_that_are_deleted() -> None:
    async with running_engine(REGISTRY, max_mutation_bytes=10_000) as engine:
        assert (await run(engine, "fill", kind="a", count=9, size=1000)).error is None
        error = (await run(engine, "fill", kind="b", count=10, size=1000)).error
        assert error is not None
        assert error.data == {"limit": "bytes", "most": 10_000}
        assert (await run(engine, "fill", kind="a", count=3, size=1000)).error is None
        error = (await run(engine, "clear", kind="a")).error
        assert error is not None
        assert error.data == {"limit": "bytes", "most": 10_000}
        assert await counted(engine, "a") == 12


async def test_entries_of_indexes_count_one_for_each_word_that_is_searched() -> None:
    async with running_engine(REGISTRY, max_mutation_entries=20) as engine:
        assert (await run(engine, "write", text=words(15))).error is None
        assert (await run(engine, "rename", text=words(15), title="new")).error is None  # its words stay
        error = (await run(engine, "write", text=words(20))).error
        assert error is not None
        assert error.data == {"limit": "index entries", "most": 20}


async def test_a_text_of_very_many_words_is_cut_in_turns_and_committed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    store = HeldStore()
    async with running_engine(REGISTRY, store) as engine:
        store.open_door.clear()
        long = [asyncio.create_task(run(engine, "write", text=words(2_000))) for _ in range(2)]
        rounds = 0
        while engine.committer.backlog < 2 or not store.waiting:
            rounds += 1
            await asyncio.sleep(0)
        assert rounds > 2_000 / 64
        small = [asyncio.create_task(run(engine, "fill", kind=f"small{n}", count=1)) for n in range(4)]
        while engine.committer.backlog < 6:  # noqa: ASYNC110
            await asyncio.sleep(0)
        store.open_door.set()
        assert all(outcome.error is None for outcome in await asyncio.gather(*long, *small))
        assert store.sizes == [1, 4, 1]


async def test_a_mutation_that_takes_too_long_fails_and_writes_nothing() -> None:
    async with running_engine(REGISTRY, mutation_timeout=0.05) as engine:
        await run(engine, "fill", kind="a", count=3)
        error = (await run(engine, "never_end")).error
        assert error is not None
        assert error.code == ErrorCode.TIMEOUT
        assert "3 documents of samples" in error.message
        assert "run_after" in error.message
        assert await counted(engine, "never") == 0


async def test_who_waits_for_nothing_is_not_told_to_do_less_at_once() -> None:
    async with running_engine(REGISTRY, mutation_timeout=0.05) as engine:
        error = (await run(engine, "wait_for_nothing")).error
        assert error is not None
        assert error.code == ErrorCode.TIMEOUT
        assert error.message.endswith("it has read 0 documents of samples by the index by_id")


async def test_others_run_while_a_mutation_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    global inserted
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    inserted = 0
    async with running_engine(REGISTRY) as engine:
        writing = asyncio.create_task(run(engine, "fill", kind="a", count=1000))
        seen = [0]
        while not writing.done():
            seen.append(inserted)
            await asyncio.sleep(0)
        assert (await writing).error is None
        assert max(later - earlier for earlier, later in itertools.pairwise(seen)) <= 16


async def test_small_mutations_are_not_committed_with_large_ones_and_wait_for_one_at_most() -> None:
    store = HeldStore()
    async with running_engine(REGISTRY, store) as engine:
        store.open_door.clear()
        large = [asyncio.create_task(run(engine, "fill", kind=f"large{n}", count=600)) for n in range(3)]
        while engine.committer.backlog < 3 or not store.waiting:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0)
        small = [asyncio.create_task(run(engine, "fill", kind=f"small{n}", count=1)) for n in range(4)]
        while engine.committer.backlog < 7:  # noqa: ASYNC110
            await asyncio.sleep(0)
        store.open_door.set()
        assert all(outcome.error is None for outcome in await asyncio.gather(*large, *small))
        assert store.sizes == [600, 4, 600, 600]
