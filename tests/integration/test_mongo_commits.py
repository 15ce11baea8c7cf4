"""Commits of several hubs on one database, unique keys that move within a batch, and very large documents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from helpers.log_reader import reading_log
from synovia.schema.specs import Document
from synovia.store.base import Batch, Conflict, StoreError, Ts, UniqueViolation, Write
from synovia.store.mongo import MongoStore

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]


def user(number: int, email: str, **more: Any) -> Document:
    return {"_id": number, "email": email, **more}


def inserted(*documents: Document) -> list[Write]:
    return [Write("users", document["_id"], None, document) for document in documents]


async def test_of_many_writers_at_one_fence_exactly_one_gets_through_each_time(store: MongoStore) -> None:
    """Also none fails for nothing: of those that begin together, one always succeeds."""
    start, fence = await store.newest()
    for turn in range(5):
        batches = [Batch(inserted(user(10 * turn + n, f"{turn}.{n}")), fence=fence + turn) for n in range(6)]
        results = await asyncio.gather(*map(store.commit, batches), return_exceptions=True)
        assert sum(isinstance(result, Conflict) for result in results) == 5, results
        assert sum(isinstance(result, int) for result in results) == 1
    async with reading_log(store, start) as log:
        commits = [await log.commit() for _ in range(5)]
    assert [commit.fence for commit in commits] == [fence + turn for turn in range(1, 6)]


async def test_commits_that_look_at_no_fence_do_not_hinder_each_other(store: MongoStore) -> None:
    _, fence = await store.newest()
    batches = [Batch(inserted(user(number, str(number)))) for number in range(12)]
    assert len(set(await asyncio.gather(*map(store.commit, batches)))) == 12
    assert (await store.newest())[1] == fence + 12


async def test_of_two_changes_to_one_document_the_second_is_a_conflict(store: MongoStore) -> None:
    before = user(1, "a", n=0)
    await store.commit(Batch(inserted(before)))
    batches = [Batch([Write("users", 1, before, {**before, "n": n})]) for n in (1, 2, 3)]
    results = await asyncio.gather(*map(store.commit, batches), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 2, results


def with_undefined(id_: int) -> RawBSONDocument:
    """Make a document with a value of a type that drivers read as null, and the database tells from it."""
    good = encode({"_id": id_, "email": str(id_), "old": None})
    place = good.index(b"\x0aold\x00")
    return RawBSONDocument(good[:place] + b"\x06" + good[place + 1 :])


def with_a_field_twice(id_: int) -> RawBSONDocument:
    good = encode({"_id": id_, "email": str(id_), "a": 1, "b": 2})
    return RawBSONDocument(good.replace(b"b\0", b"a\0"))


@pytest.mark.parametrize("make", [with_undefined, with_a_field_twice])
async def test_a_document_that_reads_as_something_else_is_changed_and_deleted_as_others_are(
    store: MongoStore, outside: Outside, make: Callable[[int], RawBSONDocument]
) -> None:
    outside.users.insert_many([make(1), make(2)])
    ts, fence = await store.newest()
    first, second = await store.snapshot(ts).get("users", [1, 2])
    assert first is not None
    changed = {**first, "email": "c"}
    await store.commit(Batch([Write("users", 1, first, changed), Write("users", 2, second, None)], fence=fence))
    assert [*outside.users.find()] == [changed]
    with pytest.raises(Conflict):
        await store.commit(Batch([Write("users", 1, first, None)]))


async def test_the_timestamp_of_a_commit_is_the_one_in_the_log(store: MongoStore, outside: Outside) -> None:
    start, fence = await store.newest()
    known: list[Ts] = []
    for number in range(30):
        elsewhere = outside.elsewhere
        busy = [asyncio.create_task(asyncio.to_thread(elsewhere.insert_one, {"number": number})) for _ in range(2)]
        known.append(await store.commit(Batch(inserted(user(number, str(number))), fence=fence + number)))
        await asyncio.gather(*busy)
    async with reading_log(store, start) as log:
        assert [commit.ts for commit in await log.reach(known[-1])] == known


async def test_unique_keys_may_change_hands_within_a_batch(store: MongoStore, outside: Outside) -> None:
    a, b, c = user(1, "a"), user(2, "b"), user(3, "c")
    await store.commit(Batch(inserted(a, b, c)))
    start, _ = await store.newest()
    a2, b2, d = {**a, "email": "b"}, {**b, "email": "a"}, user(4, "c")
    ts = await store.commit(
        Batch(
            [Write("users", 1, a, a2), Write("users", 2, b, b2), Write("users", 4, None, d), Write("users", 3, c, None)]
        )
    )
    assert list(outside.users.find().sort("_id")) == [a2, b2, d]
    async with reading_log(store, start) as log:
        [commit] = await log.reach(ts)
    assert {write.id: (write.before, write.after) for write in commit.writes} == {
        1: (a, a2),
        2: (b, b2),
        3: (c, None),
        4: (None, d),
    }
    with pytest.raises(UniqueViolation, match="'by_email'"):
        await store.commit(Batch([Write("users", 1, a2, {**a2, "email": "c"})]))


async def test_a_replacement_without_a_change_does_not_hold_up_the_log(store: MongoStore) -> None:
    """MongoDB makes no event of it, so fewer events come than the fence tells."""
    a, b = user(1, "a"), user(2, "b")
    await store.commit(Batch(inserted(a, b)))
    start, fence = await store.newest()
    ts = await store.commit(Batch([Write("users", 1, a, a), Write("users", 2, b, {**b, "n": 1})], fence=fence))
    async with reading_log(store, start) as log:
        commit = await log.commit()
    assert (commit.ts, commit.fence, [write.id for write in commit.writes]) == (ts, fence + 1, [2])


async def test_documents_too_large_to_send_twice_are_compared_by_reading(store: MongoStore, outside: Outside) -> None:
    big = user(1, "a", text="x" * 12_000_000)
    bigger = {**big, "text": "y" * 12_000_000}
    await store.commit(Batch(inserted(big)))
    start, fence = await store.newest()
    ts = await store.commit(Batch([Write("users", 1, big, bigger)], fence=fence))
    async with reading_log(store, start) as log:
        [commit] = await log.reach(ts)
    assert commit.writes == (Write("users", 1, big, bigger),)
    with pytest.raises(Conflict):
        await store.commit(Batch([Write("users", 1, big, bigger)], fence=fence + 1))
    with pytest.raises(StoreError, match="16 MiB"):
        await store.commit(Batch(inserted(user(2, "b", text="x" * 17_000_000)), fence=fence + 1))
    assert (await store.newest())[1] == fence + 1


async def test_of_many_documents_each_has_to_be_as_it_was_read(store: MongoStore, outside: Outside) -> None:
    """They are compared here, some with each command: also those that read as something else, and large ones."""
    numbers = range(600)
    outside.users.insert_many(
        [with_undefined(number) if number % 7 == 0 else user(number, str(number), text="x") for number in numbers]
    )
    outside.users.update_many({"_id": {"$in": [5, 400]}}, {"$set": {"text": "x" * 9_000_000}})
    ts, fence = await store.newest()
    found = [row for row in await store.snapshot(ts).get("users", numbers) if row is not None]
    outside.users.update_one({"_id": 599}, {"$set": {"text": "z"}})
    writes = [Write("users", row["_id"], row, {**row, "text": "y"}) for row in found]
    with pytest.raises(Conflict):
        await store.commit(Batch(writes, fence=fence))
    assert outside.users.count_documents({"text": "y"}) == 0
    writes[300] = Write("users", 300, found[300], None)
    await store.commit(Batch(writes[:-1], fence=fence))
    assert (outside.users.count_documents({"text": "y"}), outside.users.count_documents({})) == (598, 599)


async def test_a_batch_of_many_megabytes_is_one_commit(store: MongoStore) -> None:
    start, fence = await store.newest()
    documents = [user(n, str(n), text="x" * 500_000) for n in range(40)]
    ts = await store.commit(Batch(inserted(*documents), fence=fence))
    async with reading_log(store, start) as log:
        [commit] = await log.reach(ts)
    assert [write.id for write in commit.writes] == list(range(40))
