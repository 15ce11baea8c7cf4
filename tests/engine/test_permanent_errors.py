"""What the database refuses for good is told at once, and not tried again as if it were away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from apps import board
from helpers.patience import PATIENCE
from synovia import Index, MutationContext, Table, mutation
from synovia.aggregates.tally import Summary, Tally
from synovia.functions.function import Function, function_of
from synovia.functions.registry import Registry, collect
from synovia.keys import IndexSpec, Interval, Order
from synovia.schema.specs import Document, TableSpec
from synovia.store import open_store
from synovia.store.base import Snapshot, StoreError, Ts
from synovia.store.filters import Filter
from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite.store import SQLiteSnapshot
from synovia.testing import TestApp


class RefusingSnapshot:
    """A snapshot of a real store that cannot read a table."""

    def __init__(self, snapshot: SQLiteSnapshot, store: RefusingStore) -> None:
        self._snapshot = snapshot
        self._store = store
        self.ts = snapshot.ts

    async def get(self, table: str, ids: Any) -> list[Document | None]:
        return await self._snapshot.get(table, ids)

    async def scan(
        self,
        table: str,
        index: IndexSpec,
        interval: Interval,
        order: Order = Order.ASC,
        *,
        where: Filter | None = None,
        limit: int | None = None,
    ) -> list[Document]:
        self._store.asked += 1
        if self._store.refusing:
            raise StoreError("this page of the file is not readable")
        return await self._snapshot.scan(table, index, interval, order, where=where, limit=limit)

    async def count(
        self, table: str, index: IndexSpec, interval: Interval, *, where: Filter | None = None, limit: int | None = None
    ) -> int:
        return await self._snapshot.count(table, index, interval, where=where, limit=limit)

    async def aggregate(
        self, table: str, index: IndexSpec, interval: Interval, summary: Summary, *, where: Filter | None = None
    ) -> Tally:
        return await self._snapshot.aggregate(table, index, interval, summary, where=where)


class RefusingStore(SQLiteStore):
    """A real store that refuses scans for good.

    Attributes:
        asked: How often somebody has scanned.
    """

    refusing = False
    asked = 0

    def snapshot(self, ts: Ts) -> Snapshot:
        return RefusingSnapshot(SQLiteSnapshot(self, ts), self)


async def test_a_live_query_that_is_refused_says_so_and_is_run_again_only_when_something_changes() -> None:
    store = RefusingStore()
    async with asyncio.timeout(PATIENCE), TestApp(collect("board", [board]), store) as app:
        caller = app.caller()
        await caller.mutation("board:add", {"slug": "a"})
        store.refusing, store.asked = True, 0
        async with caller.subscribe("board:on_board", {"board": "a"}) as following:
            assert following.error is not None
            assert following.error.code == "server_error"
            assert store.asked == 1
            [live] = list(app.engine.live)
            assert (live.failures, live.dirty_at, live.task) == (0, None, None)
            store.refusing = False
            await caller.mutation("board:add", {"slug": "b"})
            await following.current()
            assert [card["slug"] for card in following.value] == ["a", "b"]


class Person(Table, name="people"):
    email: str


class UniquePerson(Table, name="people", indexes=[Index("by_email", "email", unique=True)]):
    email: str


runs = 0


@mutation(public=True)
async def sign_up(ctx: MutationContext, email: str) -> None:
    global runs
    runs += 1
    await ctx.db.insert(Person(email=email))


def older_version() -> Registry:
    function = function_of(sign_up)
    assert isinstance(function, Function)
    function.place_in("people")
    function.prepare()
    return Registry("people", {"people:sign_up": function}, (Person.spec, *collect("nothing", []).tables))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def test_a_unique_index_that_only_a_newer_version_declares_is_not_run_against_again_and_again(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The older version neither looks into it nor takes it away."""
    url = f"sqlite:///{tmp_path / 'data.db'}"
    if kind == "mongodb":
        url = f"{request.getfixturevalue('mongodb_uri')}"
    name = request.getfixturevalue("database_name") if kind == "mongodb" else None
    newer = open_store(url) if name is None else mongo(url, name)
    await newer.open([TableSpec("people", UniquePerson.spec.indexes)])
    await newer.close()
    async with (
        asyncio.timeout(PATIENCE),
        TestApp(older_version(), open_store(url) if name is None else mongo(url, name)) as app,
    ):
        first = await app.engine.mutate("people:sign_up", {"email": "a"}, None)
        assert first.error is None
        global runs
        runs = 0
        for retry, most in ((False, 1), (True, 3)):
            outcome = await app.engine.mutate(
                "people:sign_up", {"email": "a"}, None, session=b"s" * 16, number=1 + retry, retry=retry
            )
            assert outcome.error is not None
            assert outcome.error.code == "unique_violation"
            assert runs <= most
            runs = 0


def mongo(uri: str, name: str) -> Any:
    from synovia.store.mongo import MongoStore

    return MongoStore(uri, name)
