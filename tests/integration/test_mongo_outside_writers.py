"""What other programs write reaches the log exactly: whole, in order, once, with both images."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId
from pymongo import DeleteOne, InsertOne, UpdateOne
from pymongo.database import Database

from helpers.log_reader import reading_log
from synovia.schema.specs import Document
from synovia.store.base import Batch, Commit, Conflict, Write
from synovia.store.mongo import MongoStore

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]


def images(commit: Commit) -> list[tuple[Document | None, Document | None]]:
    return [(write.before, write.after) for write in commit.writes]


async def test_an_update_of_one_field_carries_both_images(store: MongoStore, outside: Outside) -> None:
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        outside.users.insert_one({"_id": 1, "email": "a", "age": 3})
        outside.users.update_one({"_id": 1}, {"$set": {"age": 4}})
        outside.users.delete_one({"_id": 1})
        assert images(await log.commit()) == [(None, {"_id": 1, "email": "a", "age": 3})]
        assert images(await log.commit()) == [({"_id": 1, "email": "a", "age": 3}, {"_id": 1, "email": "a", "age": 4})]
        last = await log.commit()
        assert images(last) == [({"_id": 1, "email": "a", "age": 4}, None)]
        assert last.fence is None


async def test_a_foreign_transaction_is_one_commit_though_nothing_follows_it(
    store: MongoStore, outside: Outside
) -> None:
    outside.users.insert_one({"_id": 0, "email": "zero"})
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        with outside.client.start_session() as session, session.start_transaction():
            outside.users.insert_many([{"_id": n, "email": str(n)} for n in (1, 2)], session=session)
            outside.users.update_one({"_id": 0}, {"$set": {"n": 1}}, session=session)
            outside.notes.insert_one({"_id": "n", "text": "t"}, session=session)
            outside.users.update_one({"_id": 0}, {"$set": {"n": 2}}, session=session)
            outside.users.delete_one({"_id": 1}, session=session)
        commit = await log.commit()
    found = {(write.table, write.id): (write.before, write.after) for write in commit.writes}
    assert found == {
        ("users", 0): ({"_id": 0, "email": "zero"}, {"_id": 0, "email": "zero", "n": 2}),
        ("users", 2): (None, {"_id": 2, "email": "2"}),
        ("notes", "n"): (None, {"_id": "n", "text": "t"}),
    }
    assert len(commit.writes) == 3
    assert session.operation_time is not None
    assert commit.ts == session.operation_time.time << 32 | session.operation_time.inc


async def test_bulk_writes_come_event_by_event_in_order(store: MongoStore, outside: Outside) -> None:
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        outside.users.bulk_write(
            [
                InsertOne({"_id": 1, "email": "1"}),
                InsertOne({"_id": 2, "email": "2"}),
                UpdateOne({"_id": 1}, {"$inc": {"n": 1}}),
                DeleteOne({"_id": 2}),
            ]
        )
        ids = [(write.id, write.after is None) for _ in range(4) for write in (await log.commit()).writes]
    assert ids == [(1, False), (2, False), (1, False), (2, True)]


async def test_writes_to_other_collections_only_move_the_clock(store: MongoStore, outside: Outside) -> None:
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        outside.elsewhere.insert_one({"_id": 1})
        await store.arrays.put_chunk(b"d" * 32, b"data")
        outside.users.insert_one({"_id": 1, "email": "a"})
        assert [write.table for write in (await log.commit()).writes] == ["users"]


async def test_a_large_foreign_transaction_is_one_commit(store: MongoStore, outside: Outside) -> None:
    """More than one log entry (16 MB each) and more than one batch of the stream."""
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        with outside.client.start_session() as session, session.start_transaction():
            for first in range(0, 600, 50):
                rows = [{"_id": first + n, "email": str(first + n), "text": "x" * 60_000} for n in range(50)]
                outside.users.insert_many(rows, session=session)
        commit = await log.commit()
    assert [write.id for write in commit.writes] == list(range(600))


async def test_without_images_the_document_is_read_as_of_the_commit(store: MongoStore, outside: Outside) -> None:
    outside.users.insert_one({"_id": 1, "email": "a", "n": 0})
    outside.command("collMod", "users", changeStreamPreAndPostImages={"enabled": False})
    ts, _ = await store.newest()
    for n in (1, 2):
        outside.users.update_one({"_id": 1}, {"$set": {"n": n}})
    outside.users.delete_one({"_id": 1})
    async with reading_log(store, ts) as log:
        seen = [images(await log.commit())[0] for _ in range(3)]
    rows = [{"_id": 1, "email": "a", "n": n} for n in (0, 1, 2)]
    assert seen == [(rows[0], rows[1]), (rows[1], rows[2]), (rows[2], None)]


async def test_an_event_too_large_for_its_images_is_read_instead(store: MongoStore, outside: Outside) -> None:
    big = "x" * 9_000_000
    outside.users.insert_one({"_id": 1, "email": "a", "text": big})
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        outside.users.update_one({"_id": 1}, {"$set": {"n": 1}})
        outside.users.update_one({"_id": 1}, {"$set": {"text": "", "n": 2}})
        outside.users.update_one({"_id": 1}, {"$set": {"n": 3}})
        seen = [images(await log.commit())[0] for _ in range(3)]
    assert [(before and before["n"] if before and "n" in before else None) for before, _ in seen] == [None, 1, 2]
    assert [after and (after["n"], len(after["text"])) for _, after in seen] == [(1, len(big)), (2, 0), (3, 0)]


async def test_documents_are_natural(store: MongoStore, outside: Outside) -> None:
    document = {"_id": ObjectId(), "email": "a@b", "contacts": [{"userId": ObjectId(), "addedAt": 1}]}
    await store.commit(Batch([Write("users", document["_id"], None, document)]))
    assert outside.users.find_one() == document
    assert sorted(name for name in outside.list_collection_names() if not name.startswith("_")) == ["notes", "users"]


async def test_a_document_changed_outside_is_not_overwritten(store: MongoStore, outside: Outside) -> None:
    document = {"_id": 1, "email": "a", "n": 1}
    await store.commit(Batch([Write("users", 1, None, document)]))
    outside.users.update_one({"_id": 1}, {"$set": {"n": 2}})
    _, fence = await store.newest()
    for after in ({**document, "n": 5}, None):
        with pytest.raises(Conflict):
            await store.commit(Batch([Write("users", 1, document, after)], fence=fence))
    assert outside.users.find_one() == {"_id": 1, "email": "a", "n": 2}
    assert (await store.newest())[1] == fence


@pytest.mark.parametrize("command", ["drop", "rename", "dropDatabase"])
async def test_a_dropped_collection_is_a_gap_and_is_restored(store: MongoStore, outside: Outside, command: str) -> None:
    ts, _ = await store.newest()
    outside.users.insert_one({"_id": 1, "email": "a"})
    async with reading_log(store, ts) as log:
        await log.commit()
        if command == "drop":
            outside.users.drop()
        elif command == "rename":
            outside.users.rename("lost")
        else:
            outside.client.drop_database(outside.name)
        gap = await log.gap()
        assert "dropped" in gap.reason
        document = {"_id": 2, "email": "b"}
        _, fence = await store.newest()
        written = await store.commit(Batch([Write("users", 2, None, document)], fence=fence))
        assert [commit.ts for commit in await log.reach(written)] == [written]
        outside.users.update_one({"_id": 2}, {"$set": {"n": 1}})
        assert images(await log.commit()) == [(document, {**document, "n": 1})]
    assert "synovia_by_email_unique" in outside.users.index_information()
