"""What a change stream cannot deliver deafens nobody: the log goes on behind it, also for a hub that is started again."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from helpers.log_reader import reading_log
from helpers.spoilt_documents import largest, undecodable
from integration.tables import NOTES, USERS
from synovia.store.base import Batch, Write
from synovia.store.mongo import MongoStore

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]


async def another(uri: str, name: str) -> MongoStore:
    store = MongoStore(uri, name, patience=0.2)
    await store.open([USERS, NOTES])
    return store


async def write(store: MongoStore, id_: int) -> int:
    _, fence = await store.newest()
    return await store.commit(Batch([Write("users", id_, None, {"_id": id_, "email": f"mine {id_}"})], fence=fence))


@pytest.mark.parametrize("make", [undecodable, largest])
async def test_nothing_in_a_collection_of_others_is_noticed(
    store: MongoStore, outside: Outside, mongodb_uri: str, database_name: str, make: Any
) -> None:
    ts, _ = await store.newest()
    outside.elsewhere.insert_one(make())
    at, _ = await store.newest()
    outside.elsewhere.update_one({}, {"$set": {"n": 1}} if make is undecodable else {"$set": {"text": ""}})
    outside.elsewhere.delete_many({})
    restarted = await another(mongodb_uri, database_name)
    try:
        async with reading_log(store, ts) as log, reading_log(restarted, at) as again:
            written = await write(store, 1)
            for each in (log, again):  # ``reach`` takes no gap
                assert [commit.ts for commit in await each.reach(written)] == [written]
    finally:
        await restarted.close()


async def test_a_table_with_a_document_that_cannot_be_decoded_is_a_gap_once(
    store: MongoStore, outside: Outside, mongodb_uri: str, database_name: str
) -> None:
    ts, _ = await store.newest()
    outside.users.insert_one(undecodable("spoilt", email="spoilt"))
    at, _ = await store.newest()
    async with reading_log(store, ts) as log:
        gap = await log.gap()
        assert "users" in gap.reason
        assert "'spoilt'" in gap.reason
        written = await write(store, 2)
        assert [commit.ts for commit in await log.reach(written)] == [written]
    restarted = await another(mongodb_uri, database_name)
    try:
        async with reading_log(restarted, at) as log:
            assert [commit.ts for commit in await log.reach(written)] == [written]
    finally:
        await restarted.close()


async def test_a_table_with_an_event_too_large_is_read_instead(store: MongoStore, outside: Outside) -> None:
    ts, _ = await store.newest()
    document = largest(email="a")
    async with reading_log(store, ts) as log:
        outside.users.insert_one(document)
        [inserted] = (await log.commit()).writes
        assert inserted.before is None
        assert inserted.after == document
        written = await write(store, 2)
        assert [commit.ts for commit in await log.reach(written)] == [written]
