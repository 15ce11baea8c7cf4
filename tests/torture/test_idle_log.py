"""On a database that nobody writes to, the log has to come to the newest instant, also when that is the very next one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from pymongo import MongoClient

from helpers.mongod import ReplicaSet
from synovia.schema.specs import TableSpec
from synovia.store.mongo import MongoStore
from torture.run import fresh_database


@pytest.mark.mongodb
async def test_the_log_passes_an_instant_at_which_nothing_of_ours_happened(members: ReplicaSet) -> None:
    async with fresh_database(members) as address:
        store = MongoStore(address)
        await store.open([TableSpec("things")])
        with MongoClient[dict[str, object]](members.uri, w="majority") as other:
            other["somebody_else"]["things"].insert_one({})
            await asyncio.wait_for(_reach_newest(store), 4)  # the server itself writes something every ten seconds
            other.drop_database("somebody_else")
        await store.close()


async def _reach_newest(store: MongoStore) -> None:
    newest, _ = await store.newest()
    async with aclosing(store.changes(newest - 1)) as changes:
        async for change in changes:
            if change.ts >= newest:
                return
