"""What the embedded store keeps of the past, for how long, by which clock, and what that costs."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from store.moved_clock import START, Opener, rows
from synovia.store.base import Batch, RequestRecord, SnapshotTooOld, StoreError
from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite import database as database_module
from synovia.store.sqlite.connection import connect
from synovia.store.sqlite.history import Retention
from synovia.testing.clock import Clock
from synovia.testing.stores.opening import TABLES
from synovia.testing.stores.steps import everything, insert, replaced


async def test_timestamps_follow_the_clock_and_grow_when_it_does_not(opened: Opener, clock: Clock) -> None:
    async with opened() as store:
        assert await store.newest() == (int(START * 1_000_000), 0)
        first = await insert(store, "notes", {"_id": 1})
        clock.now += 5
        second = await insert(store, "notes", {"_id": 2})
        clock.now -= 1000
        third = await insert(store, "notes", {"_id": 3})
    assert (first, second, third) == tuple(int(START * 1_000_000) + more for more in (1, 5_000_000, 5_000_001))


async def test_history_is_kept_for_its_time_and_its_number_of_commits(opened: Opener, clock: Clock) -> None:
    async with opened(seconds=300, commits=3) as store:
        times = [await insert(store, "notes", {"_id": number}) for number in range(5)]
        assert len(await everything(store, times[0], "notes")) == 1
        clock.now += 299
        times.append(await insert(store, "notes", {"_id": 5}))
        assert len(await everything(store, times[0], "notes")) == 1
        clock.now += 1
        times.append(await insert(store, "notes", {"_id": 6}))
        for ts in times[:3]:
            with pytest.raises(SnapshotTooOld, match=str(times[3])):
                await everything(store, ts, "notes")
        assert [len(await everything(store, ts, "notes")) for ts in times[3:]] == [4, 5, 6, 7]


async def test_an_instant_that_has_not_come_cannot_be_read(opened: Opener) -> None:
    async with opened() as store:
        ts, _ = await store.newest()
        with pytest.raises(StoreError, match="future"):
            await everything(store, ts + 1, "notes")


async def test_what_has_outlived_its_time_leaves_the_file(opened: Opener, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    tables = ("docs", "past_docs", "entries", "past_entries", "log", "commits")
    async with opened(path, seconds=10, commits=1) as store:
        document: dict[str, Any] = {"_id": 1, "rank": 0, "tags": ["a", "b"]}
        await insert(store, "notes", document)
        for number in range(300):
            clock.now += 1
            await store.commit(Batch([replaced("notes", document, rank=number + 1)]))
            document = {**document, "rank": number + 1}
        clock.now += 100
        for number in range(30):
            await insert(store, "notes", {"_id": -number})
    docs, past_docs, _, past_entries, log, commits = rows(path, *tables)
    assert docs == 31
    assert past_docs == 0
    assert past_entries == 0
    assert log <= 32
    assert commits <= 32


async def test_pruning_takes_small_steps(opened: Opener, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    documents = [{"_id": number, "rank": 0} for number in range(1000)]
    async with opened(path, seconds=10, commits=1) as store:
        await insert(store, "notes", *documents)
        await store.commit(Batch([replaced("notes", each, rank=1) for each in documents]))
        clock.now += 100
        await insert(store, "notes", {"_id": "x"})
    [left] = rows(path, "past_docs")
    assert 900 <= left < 1000


async def test_of_a_long_history_one_commit_of_some_gives_up_what_is_due_for_all_of_them(
    opened: Opener, clock: Clock, tmp_path: Path
) -> None:
    path, left = tmp_path / "store.db", list[int]()
    async with opened(path, seconds=0, commits=1_000) as store:
        for number in range(1_032):
            await insert(store, "notes", {"_id": number})
            clock.now += 1
            if number >= 1_000:
                left.append(await store._run(lambda database: database.connection.execute(COMMITS).fetchone()[0]))
    assert 1_000 <= min(left) <= max(left) <= 1_000 + 8
    assert sum(later < earlier for earlier, later in pairwise(left)) == 4


async def test_a_commit_costs_the_same_however_many_are_kept(opened: Opener, clock: Clock) -> None:
    async with opened(seconds=300, commits=10) as store:
        await insert(store, "notes", {"_id": 0, "rank": 0})
        few = await steps_of_a_commit(store, clock, 100)
        many = await steps_of_a_commit(store, clock, 1_200)
    assert many < few * 1.2


async def test_a_file_opens_as_fast_however_many_commits_it_keeps(
    opened: Opener, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = await steps_of_opening(opened, clock, tmp_path / "few.db", 20, monkeypatch)
    assert await steps_of_opening(opened, clock, tmp_path / "many.db", 600, monkeypatch) < steps * 1.2


async def steps_of_opening(
    opened: Opener, clock: Clock, path: Path, commits: int, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Commit so often, and tell how many steps of SQLite's machine it takes to open the file again."""
    async with opened(path, seconds=300, commits=10_000) as store:
        for number in range(commits):
            await insert(store, "notes", {"_id": number, "rank": 0})
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def counting(path: str, lock_timeout: float) -> sqlite3.Connection:
        connection = connect(path, lock_timeout)
        connection.set_progress_handler(count, 1)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(database_module, "connect", counting)
        async with opened(path, seconds=300, commits=10_000):
            return steps


async def steps_of_a_commit(store: SQLiteStore, clock: Clock, after: int) -> float:
    """Commit so often, and tell how many steps of SQLite's machine each of the last twenty took."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    for number in range(after):
        if number == after - 20:
            await store._run(lambda database: database.connection.set_progress_handler(count, 1))
        [before] = await store.snapshot((await store.newest())[0]).get("notes", [0])
        assert before is not None
        clock.now += 0.01
        await store.commit(Batch([replaced("notes", before, rank=before["rank"] + 1)]))
    await store._run(lambda database: database.connection.set_progress_handler(None, 1))
    return steps / 20


async def test_history_is_given_up_in_time_although_the_clock_was_wrong_for_a_while(
    opened: Opener, clock: Clock, tmp_path: Path
) -> None:
    async with opened(tmp_path / "store.db", seconds=300, commits=1) as store:
        await insert(store, "notes", {"_id": 1})
        clock.now += 1_000_000
        times = [await insert(store, "notes", {"_id": 2}), await insert(store, "notes", {"_id": 3})]
        clock.now -= 999_990
        times.append(await insert(store, "notes", {"_id": 4}))
        assert len(await everything(store, times[0], "notes")) == 2
        clock.now += 301
        times += [await insert(store, "notes", {"_id": number}) for number in (5, 6)]
        with pytest.raises(SnapshotTooOld):
            await everything(store, times[1], "notes")
        assert len(await everything(store, times[2], "notes")) == 4


async def test_a_clock_that_was_wrong_when_the_file_was_last_open_keeps_no_history(
    opened: Opener, clock: Clock, tmp_path: Path
) -> None:
    async with opened(tmp_path / "store.db", seconds=300, commits=1) as store:
        clock.now += 1_000_000
        first = await insert(store, "notes", {"_id": 1})
    clock.now -= 1_000_000
    async with opened(tmp_path / "store.db", seconds=300, commits=1) as store:
        await insert(store, "notes", {"_id": 2})
        clock.now += 301
        for number in (3, 4):
            await insert(store, "notes", {"_id": number})
        with pytest.raises(SnapshotTooOld):
            await everything(store, first, "notes")


async def test_request_records_are_kept_for_their_time(opened: Opener, clock: Clock) -> None:
    async with opened(requests=60, commits=1) as store:
        record = RequestRecord(b"s" * 16, 1, b"r")
        await store.commit(Batch(requests=[record]))
        clock.now += 59
        await insert(store, "notes", {"_id": 1})
        assert await store.find_request(record.session, 1) == record
        clock.now += 1
        await insert(store, "notes", {"_id": 2})
        assert await store.find_request(record.session, 1) is None


async def test_a_clock_that_is_ahead_for_a_while_forgets_no_request(clock: Clock) -> None:
    """Whose record is gone would run twice once the clock is right again."""
    steady = Clock(START)
    store = SQLiteStore(clock=clock, steady=steady, retention=Retention(commits=1, requests=86_400))
    await store.open(TABLES)
    record = RequestRecord(b"s" * 16, 1, b"r")
    await store.commit(Batch(requests=[record]))
    clock.now += 366 * 86_400
    for number in range(3):
        for each in (clock, steady):
            each.now += 1_100
        await insert(store, "notes", {"_id": number})
    clock.now -= 366 * 86_400
    await insert(store, "notes", {"_id": "back"})
    assert await store.find_request(record.session, 1) == record
    await store.close()


async def test_a_jump_that_stays_is_believed_after_an_hour(clock: Clock) -> None:
    steady = Clock(START)
    store = SQLiteStore(clock=clock, steady=steady, retention=Retention(commits=1, requests=86_400))
    await store.open(TABLES)
    record = RequestRecord(b"s" * 16, 1, b"r")
    await store.commit(Batch(requests=[record]))
    clock.now += 366 * 86_400
    for number in range(4):
        await insert(store, "notes", {"_id": number})
        assert await store.find_request(record.session, 1) == record
        for each in (clock, steady):
            each.now += 1_000
    await insert(store, "notes", {"_id": "late"})
    assert await store.find_request(record.session, 1) is None
    await store.close()


COMMITS = "SELECT COUNT(*) FROM commits"
