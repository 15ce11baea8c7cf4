"""A long read on MongoDB comes in parts: others have their turn between two of them, and all are of one instant."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from bson import decode_all
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.database import Database

from helpers.patience import PATIENCE
from synovia import turns
from synovia.keys import BY_ID
from synovia.store.base import Batch, Write
from synovia.store.mongo import MongoStore, cursor, snapshot
from synovia.store.mongo.driver import Driver
from synovia.testing.stores.steps import EVERYTHING, inserted

Outside = Database[dict[str, Any]]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FIRST_BATCH", 10)
    monkeypatch.setattr(cursor, "LARGEST_BATCH", 10)
    monkeypatch.setattr(cursor, "DECODED_AT_ONCE", 4)


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The sizes of the documents in each batch that comes."""
    found: list[list[int]] = []
    command = Driver.command

    async def noting(self: Driver, *args: Any, **options: Any) -> Any:
        reply = await command(self, *args, **options)
        if "cursor" in reply:
            batch = reply["cursor"].get("firstBatch") or reply["cursor"].get("nextBatch") or []
            found.append([len(each.raw) for each in batch if hasattr(each, "raw")])
        return reply

    monkeypatch.setattr(Driver, "command", noting)
    return found


async def fill(store: MongoStore, count: int, text: str = "") -> list[dict[str, Any]]:
    documents = [{"_id": n, "rank": n, "text": text} for n in range(count)]
    await store.commit(Batch(inserted("notes", *documents)))
    return documents


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("count", [0, 9, 10, 11, 95])
async def test_a_scan_in_parts_is_whole_and_of_one_instant(store: MongoStore, count: int) -> None:
    documents = await fill(store, count)
    ts, _ = await store.newest()
    scanning = asyncio.create_task(store.snapshot(ts).scan("notes", BY_ID, EVERYTHING))
    await asyncio.sleep(0)
    if documents:
        await store.commit(Batch([Write("notes", count - 1, documents[-1], None)]))
    assert await scanning == documents
    assert await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING, limit=25) == documents[:25]
    assert await store.snapshot(ts).count("notes", BY_ID, EVERYTHING) == count


@pytest.mark.usefixtures("small_parts")
async def test_only_a_few_documents_are_decoded_in_one_round_of_the_loop(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    documents = await fill(store, 95)
    ts, _ = await store.newest()
    decoded = 0

    def counting(data: bytes, options: Any) -> list[Any]:
        nonlocal decoded
        found = decode_all(data, options)
        decoded += len(found)
        return found

    monkeypatch.setattr("synovia.store.mongo.cursor.decode_all", counting)
    scanning = asyncio.create_task(store.snapshot(ts).scan("notes", BY_ID, EVERYTHING))
    seen = [0]
    while not scanning.done():
        await asyncio.sleep(0)
        seen.append(decoded)
    assert await scanning == documents
    assert seen[-1] == 95
    assert max(later - earlier for earlier, later in itertools.pairwise(seen)) <= 4


async def test_batches_after_the_first_are_bounded_by_bytes(store: MongoStore, replies: list[list[int]]) -> None:
    documents = await fill(store, 300, "x" * 20_000)
    ts, _ = await store.newest()
    replies.clear()
    assert await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING) == documents
    assert len(replies) > 5
    assert all(sum(sizes) <= cursor.BATCH_BYTES for sizes in replies[1:])


async def test_small_documents_take_few_trips(store: MongoStore, replies: list[list[int]]) -> None:
    documents = await fill(store, 1_000)
    ts, _ = await store.newest()
    replies.clear()
    assert await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING) == documents
    assert [len(sizes) for sizes in replies] == [100, 500, 400]


@pytest.mark.usefixtures("small_parts")
async def test_the_cursor_of_a_read_that_is_cancelled_is_closed(
    store: MongoStore, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store, 95)
    ts, _ = await store.newest()
    reached, never = asyncio.Event(), asyncio.Event()

    class Held:
        def __init__(self, steps: int) -> None:
            pass

        async def step(self) -> None:
            reached.set()
            await never.wait()

    monkeypatch.setattr(cursor, "Turns", Held)
    scanning = asyncio.create_task(store.snapshot(ts).scan("notes", BY_ID, EVERYTHING))
    await reached.wait()
    assert await open_cursors(outside) == 1
    scanning.cancel()
    async with asyncio.timeout(PATIENCE):
        while await open_cursors(outside):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.01)


async def test_a_read_that_is_cancelled_costs_no_connection(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store, 95)
    ts, _ = await store.newest()
    closed: list[object] = []
    close = AsyncConnection.close_conn

    async def noting(self: AsyncConnection, reason: Any) -> None:
        closed.append(reason)
        await close(self, reason)

    monkeypatch.setattr(AsyncConnection, "close_conn", noting)
    for rounds in range(40):
        scanning = asyncio.create_task(store.snapshot(ts).scan("notes", BY_ID, EVERYTHING))
        for _ in range(rounds):
            await asyncio.sleep(0)
        scanning.cancel()
        await asyncio.gather(scanning, return_exceptions=True)
    assert len(await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING)) == 95
    assert closed == []


async def open_cursors(outside: Outside) -> int:
    """Tell how many cursors over the notes the server keeps between two batches."""
    stages: list[dict[str, Any]] = [
        {"$currentOp": {"idleCursors": True, "allUsers": True}},
        {"$match": {"ns": f"{outside.name}.notes", "type": "idleCursor"}},
    ]
    return len(await asyncio.to_thread(lambda: list(outside.client.admin.aggregate(stages))))
