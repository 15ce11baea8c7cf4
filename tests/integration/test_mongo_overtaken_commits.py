"""Another program changes what is being committed: what has read that is run again, and the rest is committed as a whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymongo.database import Database

from apps import shelves
from helpers.patience import PATIENCE
from synovia.functions.registry import collect
from synovia.store.base import Batch, Ts
from synovia.store.mongo import MongoStore
from synovia.testing import TestApp

pytestmark = pytest.mark.mongodb


class OvertakenStore(MongoStore):
    """A store at which another program is faster than one commit, and the log faster than the store's refusal."""

    faster: asyncio.Event | None = None

    def __init__(self, uri: str, database: str) -> None:
        super().__init__(uri, database, patience=0.2)
        self.begun = asyncio.Event()
        self.sizes: list[int] = []

    async def commit(self, batch: Batch) -> Ts:
        faster, self.faster = self.faster, None
        if faster is not None:
            self.begun.set()
            await faster.wait()
        ts = await super().commit(batch)
        self.sizes.append(len(batch.requests))
        return ts


async def test_what_another_program_overtakes_runs_again_and_the_rest_stands(
    mongodb_uri: str, database_name: str, outside: Database[dict[str, Any]]
) -> None:
    store = OvertakenStore(mongodb_uri, database_name)
    async with asyncio.timeout(PATIENCE), TestApp(collect("shelves", [shelves]), store) as app:
        calls = app.caller()
        for name in "ijk":
            await calls.mutation("shelves:put", {"name": name, "shelf": "a", "rank": 0})
        store.sizes.clear()
        store.faster = faster = asyncio.Event()
        raising = [
            asyncio.create_task(calls.mutation("shelves:raise_rank", {"name": name, "by": 1})) for name in "ijkjk"
        ]
        await store.begun.wait()
        outside.items.update_one({"_id": "i"}, {"$set": {"rank": 10}})
        await app.engine.wait_for((await store.newest())[0])
        faster.set()
        assert await asyncio.gather(*raising) == [11, 1, 1, 2, 2]
        counters = app.engine.committer.counters
        assert (counters["conflicts"], counters["unexplained"]) == (1, 0)
        assert len(store.sizes) <= 3, "none was committed by itself to find out which of them the store refuses"
