"""The log, replayed, is the database: at every commit, while hubs and other programs write at the same time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

from helpers.log_reader import reading_log
from synovia import keys
from synovia.keys import BY_ID
from synovia.schema.specs import Document
from synovia.store.base import Batch, Commit, Conflict, Ts, Write
from synovia.store.mongo import MongoStore

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]
IDS = range(12)
TURNS = 40


async def hub(store: MongoStore, seed: int) -> list[tuple[Ts, int]]:
    """Commit random changes at the newest fence; tell which went through."""
    rng = random.Random(seed)
    done: list[tuple[Ts, int]] = []
    while len(done) < TURNS:
        ts, fence = await store.newest()
        ids = rng.sample(IDS, 3)
        found = await store.snapshot(ts).get("notes", ids)
        writes = [Write("notes", key, old, _changed(rng, key, old)) for key, old in zip(ids, found, strict=True)]
        try:
            done.append((await store.commit(Batch(writes, fence=fence)), fence + 1))
        except Conflict:
            await asyncio.sleep(0)
    return done


def _changed(rng: random.Random, key: int, old: Document | None) -> Document | None:
    return None if old is not None and rng.random() < 0.3 else {"_id": key, "text": rng.random()}


def other_program(outside: Outside, seed: int) -> None:
    """Write single documents, many at once, in transactions, and elsewhere in the database and beside it."""
    rng = random.Random(seed)
    for turn in range(TURNS):
        outside.client["elsewhere"].ticks.insert_one({"turn": turn})
        outside.unknown.insert_one({"turn": turn})
        outside.notes.update_one({"_id": rng.choice(IDS)}, {"$set": {"mark": turn}}, upsert=True)
        outside.notes.update_many({"_id": {"$lt": 4}}, {"$inc": {"count": 1}})
        try:
            with outside.client.start_session() as session, session.start_transaction():
                for key in rng.sample(IDS, 4):
                    outside.notes.update_one({"_id": key}, {"$set": {"shared": turn}}, upsert=True, session=session)
                outside.notes.delete_one({"_id": rng.choice(IDS)}, session=session)
        except OperationFailure as error:
            if not error.has_error_label("TransientTransactionError"):
                raise


def replayed(commits: list[Commit]) -> Iterator[tuple[Ts, dict[Any, Document]]]:
    """Give the table after each commit; what a commit says was there before must have been there."""
    table: dict[Any, Document] = {}
    for commit in commits:
        for write in commit.writes:
            assert table.get(write.id) == write.before
            if write.after is None:
                del table[write.id]
            else:
                table[write.id] = write.after
        yield commit.ts, dict(table)


async def test_the_log_is_the_database_at_every_commit(store: MongoStore, outside: Outside) -> None:
    start, _ = await store.newest()
    async with reading_log(store, start) as log:
        others = asyncio.gather(*(asyncio.to_thread(other_program, outside, seed) for seed in (3, 4)))
        first, second = await asyncio.gather(hub(store, 1), hub(store, 2))
        await others
        end, fence = await store.newest()
        commits = await log.reach(end)
    acknowledged = sorted(first + second)
    assert [(commit.ts, commit.fence) for commit in commits if commit.fence is not None] == acknowledged
    assert fence == 2 * TURNS
    for ts, table in replayed(commits):
        rows = await store.snapshot(ts).scan("notes", BY_ID, keys.prefix([]))
        assert {row["_id"]: row for row in rows} == table
