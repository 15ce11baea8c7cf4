"""A run of a function reads nothing twice, and of a query that is run once nothing is made ready for another run."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.running_engine import running_engine
from synovia import Index, MutationContext, QueryContext, Table, keys, mutation, query
from synovia.functions.registry import collect
from synovia.keys import BY_ID
from synovia.store.base import Snapshot, Ts
from synovia.store.sqlite import SQLiteStore
from synovia.transaction.memory import KeptScan
from synovia.transaction.once import OnceSnapshot


class Part(Table, name="parts", indexes=[Index("by_kind", "kind", "size")]):
    """Which have a kind is only a part of a key: no look-up of earlier runs tells it."""

    kind: str
    size: int = 0


@mutation(public=True)
async def add(ctx: MutationContext, kind: str) -> None:
    await ctx.db.insert(Part(kind=kind))


@query(public=True)
async def twice(ctx: QueryContext, kind: str) -> list[int]:
    parts = ctx.db.query(Part).using("by_kind", kind=kind)
    return [len(await parts.collect()), await parts.count(), len(await parts.collect()), await parts.count()]


@mutation(public=True)
async def add_between(ctx: MutationContext, kind: str) -> list[int]:
    parts = ctx.db.query(Part).using("by_kind", kind=kind)
    counts = [len(await parts.collect()), await parts.count()]
    await ctx.db.insert(Part(kind=kind))
    return [*counts, len(await parts.collect()), await parts.count()]


REGISTRY = collect("parts", [__import__(__name__, fromlist=["twice"])])
PATHS = {path.rpartition(":")[2]: path for path in REGISTRY.functions}


class CountingStore(SQLiteStore):
    """A store that notes what it is asked for."""

    asked: list[str]

    def snapshot(self, ts: Ts) -> Snapshot:
        snapshot, asked = super().snapshot(ts), self.asked

        class Counted:
            def __getattr__(self, name: str) -> Any:
                asked.append(name)
                return getattr(snapshot, name)

        return Counted()


async def test_a_query_that_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store = CountingStore()
    store.asked = []
    async with running_engine(REGISTRY, store) as engine:
        await engine.mutate(PATHS["add"], {"kind": "a"}, None)
        store.asked.clear()
        monkeypatch.delattr(KeptScan, "of")
        assert (await engine.query(PATHS["twice"], {"kind": "a"}, None)).value() == [1, 1, 1, 1]
        assert [name for name in store.asked if name in ("scan", "count")] == ["scan", "count"]


async def test_a_mutation_reads_nothing_twice_and_sees_its_own_writes() -> None:
    store = CountingStore()
    store.asked = []
    async with running_engine(REGISTRY, store) as engine:
        await engine.mutate(PATHS["add"], {"kind": "a"}, None)
        store.asked.clear()
        assert (await engine.mutate(PATHS["add_between"], {"kind": "a"}, None)).value() == [1, 1, 2, 2]
        assert [name for name in store.asked if name in ("scan", "count")] == ["scan", "count"]
        store.asked.clear()
        assert (await engine.mutate(PATHS["add_between"], {"kind": "a"}, None)).value() == [2, 2, 3, 3]
        assert [name for name in store.asked if name in ("scan", "count")] == ["scan", "count"]


async def test_more_than_so_many_documents_are_not_remembered() -> None:
    store = CountingStore()
    store.asked = []
    async with running_engine(REGISTRY, store) as engine:
        for kind in "aab":
            await engine.mutate(PATHS["add"], {"kind": kind}, None)
        newest, _ = await store.newest()
        snapshot = OnceSnapshot(store.snapshot(newest), most=2)
        asked = [
            (BY_ID, keys.prefix(())),
            (next(each for each in Part.spec.indexes if each.name == "by_kind"), keys.prefix("a")),
        ]
        store.asked.clear()
        found = [len(await snapshot.scan("parts", index, interval)) for index, interval in [*asked, *asked]]
    assert found == [3, 2, 3, 2]
    assert store.asked.count("scan") == 3, "the three were asked for again, the two were not"
