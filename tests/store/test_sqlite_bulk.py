"""Whoever writes in bulk does not fill the memory of the embedded store, and followers miss nothing of it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import bson
import pytest

from helpers.charges import Counted
from helpers.patience import PATIENCE
from helpers.recorded_disk import sqlite_library
from synovia import charges
from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store.base import Batch, Commit, RequestRecord, StoreError, StoreUnavailable, Write
from synovia.store.sqlite import SQLiteStore, disk_file
from synovia.store.sqlite import store as store_module
from synovia.store.sqlite.worker import Urgency
from synovia_protocol.arrays import chunk_digest

BATCH, BATCHES, LIMIT = 500, 20, 40_000
CHUNKS = 100
MEGABYTE = 1_000_000


@pytest.mark.slow
async def test_the_newest_commits_are_kept_in_memory_by_what_they_have_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_TAIL_BYTES", LIMIT)
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([TableSpec("notes")])
    begin, _ = await store.newest()
    for number in range(BATCHES):
        ids = range(number * BATCH, (number + 1) * BATCH)
        await store.commit(Batch([Write("notes", id_, None, {"_id": id_}) for id_ in ids]))
    gc.collect()
    kept = commits()
    assert 0 < sum(commit.size for commit in kept) <= LIMIT
    seen = []
    async for commit in store.changes(begin):
        assert isinstance(commit, Commit)
        seen += [write.id for write in commit.writes]
        if len(seen) == BATCH * BATCHES:
            break
    assert seen == [*range(BATCH * BATCHES)]
    await store.close()


def kept_by_sqlite() -> int:
    """Give the bytes that SQLite has at the moment, whoever of this process it has them for."""
    library = sqlite_library()
    library.sqlite3_memory_used.restype = ctypes.c_longlong
    return int(library.sqlite3_memory_used())


def long_batch(kind: str, number: int) -> Batch:
    """Give one that is different from others in how many rows its statement has."""
    text = "x" * MEGABYTE
    documents = [{"_id": f"{number} {each}", "text": ""} for each in range(16 * number)]
    if kind != "results":
        documents.append({"_id": f"{number}", "text": text})
    bodies = [bson.encode(document) for document in documents]
    writes = [
        Write("notes", each["_id"], None, each, (b"", body)) for each, body in zip(documents, bodies, strict=True)
    ]
    result = text.encode() if kind == "results" else b""
    return Batch(writes, [RequestRecord(b"session", number, result)])


@pytest.mark.parametrize("kind", ["documents", "keys", "results", "prepared"])
async def test_sqlite_does_not_keep_what_its_statements_were_given(tmp_path: Path, kind: str) -> None:
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([TableSpec("notes", (IndexSpec("by_text", ("text",)),) if kind == "keys" else ())])
    await store._run_arrays(lambda database: database.execute("PRAGMA cache_size = -100"))
    before = kept_by_sqlite()
    for number in range(8):
        batch = long_batch(kind, number)
        if kind == "prepared":
            batch = replace(batch, prepared=await store.prepare(batch.writes))
        await store.commit(batch)
        if batch.prepared is not None:
            batch.prepared.discard()
    await store._run(lambda _: None, Urgency.LATER)
    assert before < kept_by_sqlite() < before + 2 * MEGABYTE
    await store.close()


async def test_a_large_commit_is_not_read_again_by_who_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_TAIL_BYTES", 0)
    store = SQLiteStore()
    await store.open([TableSpec("notes")])
    changes = store.changes((await store.newest())[0])
    for number in range(2):
        await store.commit(Batch([Write("notes", number, None, {"_id": number})], token=b"own"))
        commit = await anext(changes)
        assert isinstance(commit, Commit)
        assert commit.token == b"own", "the file does not know it"
    await store.close()


def commits() -> list[Commit]:
    """Find the commits of this test that are anywhere in memory; those of others may be, too."""
    return [each for each in gc.get_objects() if type(each) is Commit and len(each.writes) == BATCH]


async def test_chunks_that_come_together_are_stored_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([])
    begun: list[str] = []
    visits, run = 0, store._run_arrays
    await run(lambda database: database.set_trace_callback(begun.append))

    async def counted(work: Any) -> Any:
        nonlocal visits
        visits += 1
        return await run(work)

    monkeypatch.setattr(store.arrays._rows, "_run", counted)
    chunks = [bytes([number]) * 10 for number in range(CHUNKS)]
    await asyncio.gather(*(store.arrays.put_chunk(chunk_digest(each), each) for each in chunks))
    assert sum(statement.startswith("BEGIN") for statement in begun) <= CHUNKS / 10
    assert visits <= CHUNKS / 10, "to the thread of the database"
    assert [await store.arrays.get_chunk(chunk_digest(each)) for each in chunks] == chunks
    await store.close()


async def test_whoever_stops_waiting_for_a_chunk_leaves_the_others_theirs() -> None:
    store = SQLiteStore()
    await store.open([])
    chunks = [bytes([number]) * 10 for number in range(CHUNKS)]
    storing = [asyncio.create_task(store.arrays.put_chunk(chunk_digest(each), each)) for each in chunks]
    await asyncio.sleep(0)  # the first has begun for all of them
    storing[0].cancel()
    await asyncio.gather(*storing[1:])
    assert await store.arrays.get_chunk(chunk_digest(chunks[-1])) == chunks[-1]
    await store.close()


async def test_a_store_that_is_closed_tells_all_who_wait_for_their_chunks() -> None:
    store = SQLiteStore()
    await store.open([])
    chunks = [bytes([number]) * 10 for number in range(CHUNKS)]
    storing = [asyncio.create_task(store.arrays.put_chunk(chunk_digest(each), each)) for each in chunks]
    await asyncio.sleep(0)
    await store.close()
    async with asyncio.timeout(PATIENCE):
        found = await asyncio.gather(*storing, return_exceptions=True)
    assert {type(each) for each in found} == {StoreUnavailable}


async def test_chunks_that_are_stored_together_are_charged_to_each_by_its_size() -> None:
    store = SQLiteStore()
    await store.open([])
    small, large = Counted(), Counted()

    async def put(payer: Counted, chunk: bytes) -> None:
        with charges.charged(charges.Bill(payer, 0.0)):
            await store.arrays.put_chunk(chunk_digest(chunk), chunk)

    await asyncio.gather(put(small, bytes(1_000)), put(large, bytes(99_000)))
    assert small.seconds > 0
    assert large.seconds == pytest.approx(99 * small.seconds)
    await store.close()


async def test_only_a_commit_waits_for_the_disk_and_for_all_that_was_put_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the log of SQLite holds is in order, so what one commit waits for is there with all before it."""
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([TableSpec("notes")])
    said: list[str] = []
    await store._run_arrays(lambda database: database.set_trace_callback(said.append))
    sync = disk_file._sync

    def noted(descriptor: int) -> None:
        assert os.path.samestat(os.fstat(descriptor), (tmp_path / "store.db-wal").stat())
        said.append("sync")
        sync(descriptor)

    monkeypatch.setattr(disk_file, "_sync", noted)

    def order() -> list[str]:
        """Tell what was done since this was asked last, in order: writing, and waiting for the disk."""
        done = ["sync" if each == "sync" else "write" for each in said if each.startswith(("sync", "COMMIT", "INSERT"))]
        found = [each for each, _ in groupby(done)]
        said.clear()
        return found

    chunk = b"chunk"
    await store.arrays.put_chunk(chunk_digest(chunk), chunk)
    assert order() == ["write"]
    await store.commit(Batch([Write("notes", 1, None, {"_id": 1})]))
    assert order() == ["write", "sync"]
    await store._run_arrays(lambda database: database.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreError):
        await store.arrays.put_chunk(chunk_digest(b"other"), b"other")
    await store._run_arrays(lambda database: database.execute("PRAGMA query_only = OFF"))
    said.clear()
    await store.commit(Batch([Write("notes", 2, None, {"_id": 2})]))
    assert order() == ["write", "sync"], "also after one that has failed"
    await store.close()


async def test_none_of_them_counts_as_stored_that_is_not(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([])
    chunks = [bytes([number]) * 10 for number in range(3)]
    await store._run_arrays(lambda database: database.execute("PRAGMA query_only = ON"))
    found = await asyncio.gather(
        *(store.arrays.put_chunk(chunk_digest(each), each) for each in chunks), return_exceptions=True
    )
    assert all(isinstance(each, StoreError) for each in found)
    await store._run_arrays(lambda database: database.execute("PRAGMA query_only = OFF"))
    await asyncio.gather(*(store.arrays.put_chunk(chunk_digest(each), each) for each in chunks))
    assert [await store.arrays.get_chunk(chunk_digest(each)) for each in chunks] == chunks
    await store.close()
