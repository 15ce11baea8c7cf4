"""SQLite's log is copied into the database's file behind commits, and nothing is lost at any step of that."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from helpers.charges import Counted
from store.short_logs import MANY, NOTES, PAGE, REFUSED, SALTS, SOME, Syncs, opened, text_of, texts_in, write_pages
from synovia import charges
from synovia.sparingly import Sparingly
from synovia.store.base import Batch, StoreUnusable, Write
from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite.database import Database
from synovia.store.sqlite.worker import Worker
from synovia.testing.stores.steps import everything, inserted
from synovia_protocol.arrays import chunk_digest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


@pytest.fixture
def syncs(path: Path, monkeypatch: pytest.MonkeyPatch) -> Syncs:
    return Syncs(path, monkeypatch)


@pytest.fixture
async def store(syncs: Syncs) -> AsyncIterator[SQLiteStore]:
    store = await opened(syncs, NOTES)
    yield store
    await store.close()


# --- when there is one ------------------------------------------------------------------------------------------------


async def test_a_commit_writes_nothing_into_the_file_however_long_the_log(store: SQLiteStore, path: Path) -> None:
    assert store._database is not None
    writer, seen = store._database.writer, list[bytes]()

    class Watched:
        def commit(self, batch: Batch, now: float) -> object:
            before = path.read_bytes()
            commit = writer.commit(batch, now)
            assert path.read_bytes() == before
            seen.append(before)
            return commit

    store._database.writer = Watched()  # type: ignore[assignment]
    for number in range(6):
        await write_pages(store, number, 1_500)
    assert len(set(seen)) > 1, "it was written behind them"


async def test_there_is_one_when_nobody_comes_for_a_while_and_the_log_is_begun_anew(
    store: SQLiteStore, syncs: Syncs
) -> None:
    before = syncs.salts()
    await write_pages(store, 1, SOME)
    await syncs.checkpoint()
    await store.ping()  # behind it
    assert syncs.salts() != before
    assert b"x" * 1_000 in syncs.file.read_bytes()


async def test_there_is_none_while_the_log_is_short(store: SQLiteStore, syncs: Syncs) -> None:
    await write_pages(store, 0, SOME)
    await syncs.checkpoint()
    await store.ping()
    syncs.of_file.clear()
    before = syncs.salts()
    await store.commit(Batch(inserted("notes", {"_id": 1})))
    for _ in range(3):
        await store.ping()
    assert syncs.salts() == before
    assert not syncs.of_file.is_set()


async def test_the_log_has_its_bound_though_somebody_always_comes(store: SQLiteStore, syncs: Syncs) -> None:
    pages = 5
    await asyncio.gather(*(write_pages(store, number, pages) for number in range(100)))
    of_one = pages + 10  # with what else a commit changes
    assert syncs.log.stat().st_size < (MANY + of_one) * (PAGE + 100), "all of them are more than 500 pages"
    assert syncs.of_file.is_set()


async def test_what_is_put_without_a_commit_is_copied_too(store: SQLiteStore, syncs: Syncs) -> None:
    for number in range(20):
        chunk = bytes([number]) * PAGE * 3
        await store.arrays.put_chunk(chunk_digest(chunk), chunk)
    await syncs.checkpoint()
    await store.ping()
    assert syncs.log.stat().st_size < (MANY + 20) * (PAGE + 100)


async def test_what_is_done_behind_a_job_is_charged_to_it_and_done_again_when_nobody_comes() -> None:
    worker, payer, told, lull = Worker("jobs"), Counted(), list[bool](), threading.Event()
    clock = iter(range(1_000))

    def behind(is_lull: bool) -> bool:
        told.append(is_lull)
        if is_lull:
            lull.set()
        return len(told) > 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charges, "clock", lambda: float(next(clock)))
        await worker.run(lambda: worker.do_behind(behind))
        with charges.charged(charges.Bill(payer, 0.0)):
            await worker.run(lambda: None)
        assert await asyncio.to_thread(lull.wait, 30)
        await worker.end(lambda: None)
    assert told == [False, False, True]
    assert payer.seconds == 3, "of a clock that goes on by one each time: the job, and twice what comes behind it"


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_nothing_is_written_until_the_disk_has_the_file_and_others_read_meanwhile(
    store: SQLiteStore, syncs: Syncs
) -> None:
    await write_pages(store, 0, 1)
    ts, _ = await store.newest()
    asked, takes = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        assert takes.wait(30)

    syncs.ahead = wait
    await write_pages(store, 1, SOME)
    assert await asyncio.to_thread(asked.wait, 30)
    log = syncs.log.read_bytes()
    committing = [asyncio.create_task(write_pages(store, number, 1)) for number in (2, 3)]
    [found] = await store.snapshot(ts).get("notes", [0])
    assert found is not None
    assert syncs.log.read_bytes() == log
    assert not any(task.done() for task in committing)
    takes.set()
    await asyncio.gather(*committing)
    assert syncs.salts() != log[SALTS]


async def test_the_disk_has_all_of_the_log_before_any_of_it_is_copied(store: SQLiteStore, syncs: Syncs) -> None:
    """Also what nobody has waited for."""
    first, given, copied = syncs.file.read_bytes(), list[bytes](), list[bytes]()

    def ahead_of_log() -> None:
        assert syncs.file.read_bytes() == first
        given.append(syncs.log.read_bytes())

    syncs.ahead_of_log, syncs.ahead = ahead_of_log, lambda: copied.append(syncs.log.read_bytes())
    for number in range(4):
        chunk = bytes([number]) * PAGE * 3
        await store.arrays.put_chunk(chunk_digest(chunk), chunk)
    await syncs.checkpoint()
    assert copied == given
    assert syncs.file.read_bytes() != first


async def test_a_file_that_the_disk_does_not_take_ends_everything_and_its_log_is_kept(
    syncs: Syncs, tmp_path: Path
) -> None:
    store = await opened(syncs, NOTES)
    old, asked = syncs.file.read_bytes(), threading.Event()

    def refuse() -> None:
        asked.set()
        raise REFUSED

    syncs.ahead = refuse
    await write_pages(store, 1, SOME)
    log = syncs.log.read_bytes()
    assert await asyncio.to_thread(asked.wait, 30)
    for work in (write_pages(store, 2, 1), store.ping(), store.arrays.put_chunk(chunk_digest(b"a"), b"a")):
        with pytest.raises(StoreUnusable, match="may not be on the disk"):
            await work
    syncs.ahead = lambda: None
    await store.close()
    assert syncs.log.read_bytes() == log, "the only place that has it for certain"
    lost = tmp_path / "lost.db"
    lost.write_bytes(old)
    lost.with_name("lost.db-wal").write_bytes(log)
    assert await texts_in(lost) == {1: SOME}


async def test_a_log_that_cannot_be_copied_now_is_copied_when_it_has_grown(store: SQLiteStore, syncs: Syncs) -> None:
    """As for want of space; here SQLite refuses because something is being read."""

    def begin(database: Database) -> Any:
        reading = database.connection.execute("SELECT * FROM sqlite_master")
        reading.fetchone()
        return reading

    reading, asked = await store._run(begin), list[str]()
    await store._run(lambda database: database.connection.set_trace_callback(asked.append))
    salts = syncs.salts()
    for number in range(20):
        await write_pages(store, number, 1)
        await store.ping()
    attempts = asked.count("PRAGMA main.wal_checkpoint(PASSIVE)")
    assert 1 <= attempts <= syncs.log.stat().st_size / PAGE / SOME
    assert not syncs.of_file.is_set()
    await store._run(lambda _: reading.close())
    for number in range(20, 23):
        await write_pages(store, number, SOME)
    await syncs.checkpoint()
    await store.ping()
    assert syncs.salts() != salts
    assert len(await everything(store, (await store.newest())[0], "notes")) == 23


async def test_that_a_log_cannot_be_copied_is_told_once_and_again_after_a_time_or_when_the_reason_changes(
    store: SQLiteStore, caplog: pytest.LogCaptureFixture
) -> None:
    now, reason, tried = [0.0], ["database or disk is full"], list[int]()

    def refused() -> None:
        tried.append(1)
        raise sqlite3.OperationalError(reason[0])

    def begin(database: Database) -> None:
        assert database._log is not None
        database._sparingly = Sparingly(lambda: now[0])
        database._log.checkpoint = refused  # type: ignore[method-assign]

    await store._run(begin)

    async def told() -> int:
        """Count the lines while it is refused several times."""
        caplog.clear()
        tried.clear()
        while len(tried) < 3:
            await write_pages(store, next(numbers), MANY)
            await store.ping()
        return sum("not copied into the file yet" in line for line in caplog.messages)

    numbers = count()
    with caplog.at_level("INFO", "synovia"):
        assert await told() == 1
        assert await told() == 0
        now[0] += 600
        assert await told() == 1
        reason[0] = "disk I/O error"
        assert await told() == 1


async def test_there_is_none_of_a_file_that_was_replaced(store: SQLiteStore, syncs: Syncs) -> None:
    old = syncs.file.read_bytes()
    syncs.file.rename(moved := syncs.file.with_name("moved.db"))
    with pytest.raises(StoreUnusable):
        await write_pages(store, 1, SOME)
    moved.rename(syncs.file)
    with pytest.raises(StoreUnusable):
        await store.ping()
    assert syncs.file.read_bytes() == old
    assert not syncs.of_file.is_set()


# --- the power fails --------------------------------------------------------------------------------------------------


class PowerLoss:
    """Notes again and again what the files hold, what the disk has of that for certain, and what was acknowledged."""

    def __init__(self, syncs: Syncs) -> None:
        self._syncs = syncs
        self.durable = self._present()
        self.acknowledged = 0
        self.moments: list[tuple[int, tuple[bytes, bytes], tuple[bytes, bytes]]] = []

    def _present(self) -> tuple[bytes, bytes]:
        return self._syncs.file.read_bytes(), self._syncs.log.read_bytes()

    def note(self) -> None:
        self.moments.append((self.acknowledged, self.durable, self._present()))

    def sync_file(self) -> None:
        self.note()
        self.durable = self._syncs.file.read_bytes(), self.durable[1]

    def sync_log(self) -> None:
        self.note()
        self.durable = self.durable[0], self._syncs.log.read_bytes()


def torn(durable: bytes, present: bytes, rng: random.Random) -> bytes:
    """Give a file of which the disk has some blocks as they are, and others as they were."""
    share = rng.choice((0.0, 0.5, 1.0))
    blocks = []
    for begin in range(0, max(len(durable), len(present)), 512):
        of = present if rng.random() < share and begin < len(present) else durable
        blocks.append(of[begin : begin + 512].ljust(512, b"\0"))
    return b"".join(blocks)


def torn_log(durable: bytes, present: bytes, rng: random.Random) -> bytes:
    """Likewise of the log; SQLite itself waits for the disk to have its head."""
    return present[:32] + torn(durable, present, rng)[32:]


async def test_nothing_that_was_acknowledged_is_lost_when_the_power_fails_at_any_moment(
    store: SQLiteStore, syncs: Syncs, tmp_path: Path
) -> None:
    rng, power = random.Random(7), PowerLoss(syncs)
    syncs.ahead, syncs.ahead_of_log = power.sync_file, power.sync_log
    present: dict[int, int] = {}
    history = {0: dict(present)}
    _, before = await store.newest()
    for number in range(1, 40):
        chunk = rng.randbytes(PAGE * rng.randrange(1, 4))
        await store.arrays.put_chunk(chunk_digest(chunk), chunk)
        id_, pages = rng.randrange(6), rng.randrange(1, 5)
        old = {"_id": id_, "text": text_of(present[id_])} if id_ in present else None
        await store.commit(Batch([Write("notes", id_, old, {"_id": id_, "text": text_of(pages)})]))
        present[id_] = pages
        history[number] = dict(present)
        power.acknowledged = number
        power.note()
    assert len({log[SALTS] for _, _, (_, log) in power.moments}) > 5, "it was begun anew again and again"
    lost = tmp_path / "lost.db"
    for acknowledged, durable, now in power.moments:
        lost.write_bytes(torn(durable[0], now[0], rng))
        lost.with_name("lost.db-wal").write_bytes(torn_log(durable[1], now[1], rng))
        again = SQLiteStore(str(lost))
        await again.open(NOTES)
        ts, fence = await again.newest()
        found = {each["_id"]: len(each["text"]) // PAGE for each in await everything(again, ts, "notes")}
        check = await again._execute("PRAGMA integrity_check", ())
        await again.close()
        assert check == ("ok",)
        assert acknowledged <= fence - before <= acknowledged + 1
        assert found == history[fence - before]
