"""While a commit waits for the disk, others read what was before it, and nobody hears of it until the disk has it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from synovia.store.base import Batch, Conflict, RequestRecord, SnapshotTooOld, StoreUnavailable, StoreUnusable, Write
from synovia.store.sqlite import SQLiteStore, disk_file
from synovia.store.sqlite.database import Database
from synovia.store.sqlite.history import Retention
from synovia.store.sqlite.worker import Urgency
from synovia.testing.stores.opening import TABLES
from synovia.testing.stores.steps import everything, inserted

SESSION = b"d" * 16


class Disk:
    """A disk that takes what is written when it is told to, or never."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.takes = threading.Event()
        self.error: OSError | None = None

    def sync(self, descriptor: int) -> None:
        self.asked.set()
        assert self.takes.wait(30)
        if self.error is not None:
            raise self.error


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(str(tmp_path / "data.db"), retention=Retention(seconds=0, commits=1))
    await store.open(TABLES)
    await store.commit(Batch(inserted("notes", *({"_id": n, "text": "old"} for n in range(3)))))
    yield store
    await store.close()


@pytest.fixture
def disk(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(disk_file, "_sync", disk.sync)
    return disk


def changed(text: str) -> Batch:
    writes = [Write("notes", n, {"_id": n, "text": "old"}, {"_id": n, "text": text}) for n in range(3)]
    return Batch(writes, [RequestRecord(SESSION, 1, b"done")])


async def begun(store: SQLiteStore, disk: Disk, batch: Batch) -> asyncio.Task[int]:
    committing = asyncio.create_task(store.commit(batch))
    assert await asyncio.to_thread(disk.asked.wait, 30)
    return committing


async def test_reads_go_on_and_see_what_was_before(store: SQLiteStore, disk: Disk) -> None:
    before, fence = await store.newest()
    committing = await begun(store, disk, changed("new"))
    other = asyncio.create_task(store.commit(Batch(inserted("notes", {"_id": 9}), fence=fence)))
    asking = asyncio.create_task(store.find_request(SESSION, 1))
    assert [each["text"] for each in await everything(store, before, "notes")] == ["old"] * 3
    assert await store.snapshot(before).get("notes", [1, 9]) == [{"_id": 1, "text": "old"}, None]
    assert await store.newest() == (before, fence), "it is not durable"
    assert not any(task.done() for task in (committing, other, asking)), "what is told may be lost"
    disk.takes.set()
    after = await committing
    assert [each["text"] for each in await everything(store, after, "notes")] == ["new"] * 3
    with pytest.raises(Conflict):
        await other
    record = await asking
    assert record is not None
    assert record.result == b"done"


async def test_who_reads_meanwhile_finds_nothing_of_what_is_not_kept_any_more(store: SQLiteStore, disk: Disk) -> None:
    disk.takes.set()
    oldest, _ = await store.newest()
    await store.commit(changed("new"))
    disk.takes.clear()
    disk.asked.clear()
    committing = await begun(store, disk, Batch(inserted("notes", {"_id": 9})))
    with pytest.raises(SnapshotTooOld):
        await store.snapshot(oldest).get("notes", [1])
    disk.takes.set()
    await committing


async def test_nobody_is_told_of_a_commit_that_the_disk_has_not_taken_and_nothing_follows_it(
    store: SQLiteStore, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await store.newest()
    disk.error = OSError(5, "Input/output error")
    disk.takes.set()
    with pytest.raises(StoreUnavailable, match="nobody can tell"):
        await store.commit(changed("new"))
    assert store._head == before[0], "nobody has heard of it"
    disk.error = None
    for later in (store.commit(changed("other")), store.ping(), store.find_request(SESSION, 1)):
        with pytest.raises(StoreUnusable, match="has not taken a commit"):
            await later
    monkeypatch.undo()
    anew = SQLiteStore(str(shutil.copytree(tmp_path, tmp_path / "later") / "data.db"))
    await anew.open(TABLES)
    ts, _ = await anew.newest()
    assert {each["text"] for each in await everything(anew, ts, "notes")} in ({"old"}, {"new"}), "whole, or not at all"
    await anew.close()


async def test_a_commit_ends_when_who_reads_meanwhile_has_given_the_database_back(
    store: SQLiteStore, disk: Disk
) -> None:
    reading, may_end, order = threading.Event(), threading.Event(), list[str]()

    def read(_: Database) -> None:
        reading.set()
        assert may_end.wait(30)
        order.append("read")

    committing = await begun(store, disk, changed("new"))
    committing.add_done_callback(lambda _: order.append("committed"))
    read_meanwhile = asyncio.create_task(store._run(read, Urgency.READ))
    assert await asyncio.to_thread(reading.wait, 30)
    disk.takes.set()
    next_one = asyncio.create_task(store._run(lambda _: order.append("next")))
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(committing, read_meanwhile, next_one)
    assert order.index("read") < order.index("next"), "two threads never have it at the same time"
    assert order.index("read") < order.index("committed")
