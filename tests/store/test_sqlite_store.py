"""The embedded store beyond the contract: its file, its log, its thread."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers.patience import PATIENCE
from store.moved_clock import Opener, rows
from synovia.keys import BY_ID, IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store import open_store
from synovia.store.base import Batch, Gap, StoreError, StoreUnavailable, UniqueViolation
from synovia.store.sqlite import SQLiteStore
from synovia.testing.clock import Clock
from synovia.testing.stores.opening import BY_EMAIL, BY_RANK, NOTES, TABLES
from synovia.testing.stores.steps import (
    EVERYTHING,
    commits_after,
    everything,
    following,
    ids,
    insert,
    inserted,
    next_commit,
    replaced,
)

# --- the file -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_second_process_is_refused(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    program = (
        "import asyncio, sys\n"
        "from synovia.store.sqlite import SQLiteStore\n"
        "asyncio.run(SQLiteStore(sys.argv[1], lock_timeout=0).open([]))\n"
    )
    async with opened(path) as store:
        await insert(store, "notes", {"_id": 1})
        command = [sys.executable, "-c", program, str(path)]
        other = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE)
        assert other.returncode == 1
        assert f"{path} is in use by another process" in other.stderr
        await insert(store, "notes", {"_id": 2})


async def test_the_same_file_cannot_be_open_twice_in_one_process_either(opened: Opener, tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        with pytest.raises(StoreUnavailable, match="in use"):
            await SQLiteStore(str(tmp_path / "store.db"), lock_timeout=0).open(TABLES)
        await insert(store, "notes", {"_id": 1})
    async with opened(tmp_path / "store.db"):
        pass


async def test_what_is_deleted_for_good_is_synced_to_the_disk_and_a_commit_by_itself(
    opened: Opener, tmp_path: Path
) -> None:
    async with opened(tmp_path / "store.db") as store:
        assert await store._execute("PRAGMA journal_mode", ()) == ("wal",)
        said: list[str] = []
        await store._run_arrays(lambda database: database.set_trace_callback(said.append))
        await store.arrays.delete_arrays([], 0.0)
        assert said == ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT", "PRAGMA synchronous = NORMAL"]
        assert await store._execute("PRAGMA synchronous", ()) == (1,)


async def test_folders_on_the_way_to_the_file_are_made_and_the_log_tells_of_a_new_one(
    opened: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "synovia")
    path = tmp_path / "a" / "b" / "store.db"
    for _ in range(2):
        async with opened(path):
            pass
    assert path.is_file()
    assert caplog.text.count(f"{path}: there was no database; an empty one was made") == 1, (
        "as after a typo in its name"
    )


async def test_other_files_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    text, foreign, newer = tmp_path / "text", tmp_path / "foreign.db", tmp_path / "newer.db"
    text.write_text("not a database, but long enough to look at\n" * 100)
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    reasons = {text: "not a database", foreign: "not one of Synovia's", newer: "format 999.*a newer version"}
    for path, reason in reasons.items():
        with pytest.raises(StoreUnavailable, match=reason):
            await SQLiteStore(str(path)).open(TABLES)
    with pytest.raises(StoreUnavailable, match=r"cannot be opened: .*\(it is a folder\)"):
        await SQLiteStore(str(tmp_path)).open(TABLES)
    assert text.read_text().startswith("not a database")
    assert rows(foreign, "mine") == [0]


async def test_a_file_of_the_format_before_keeps_its_indexes(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as store:
        await insert(store, "users", {"_id": 1, "email": "a", "team": 1}, {"_id": 2, "email": "b", "team": 2})
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            CREATE TABLE old (
                idx INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL,
                uniq INTEGER NOT NULL, UNIQUE (tbl, name));
            INSERT INTO old SELECT idx, tbl, name, fields, uniq FROM indexes;
            DROP TABLE indexes;
            ALTER TABLE old RENAME TO indexes;
            PRAGMA user_version = 2;
        """)
    async with opened(path) as store:
        ts, _ = await store.newest()
        assert ids(await store.snapshot(ts).scan("users", BY_EMAIL, EVERYTHING)) == [1, 2]
        assert await store.unused_indexes(TABLES) == []
        with pytest.raises(UniqueViolation):
            await insert(store, "users", {"_id": 3, "email": "a", "team": 3})


async def test_a_store_that_is_not_open_says_so(opened: Opener) -> None:
    store = SQLiteStore()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.newest()
    async with opened() as closed:
        pass
    for attempt in (closed.ping(), insert(closed, "notes", {"_id": 1}), everything(closed, 0, "notes")):
        with pytest.raises(StoreUnavailable, match="closed"):
            await attempt
    await closed.close()


async def test_a_store_is_opened_once(opened: Opener) -> None:
    async with opened() as store:
        with pytest.raises(StoreUnavailable, match="open already"):
            await store.open(TABLES)


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite://:memory:", ":memory:"), ("sqlite:///data/a.db", "data/a.db"), ("sqlite:////data/a.db", "/data/a.db")],
)
def test_a_url_names_a_file_or_memory(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SQLiteStore)
    assert store._path == path


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://host/a.db", "postgres://u:secret@h/d", "a.db"])
def test_other_urls_are_refused_without_telling_their_secrets(url: str) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


# --- tables and indexes that are not declared -----------------------------------------------------------------------------


async def test_what_is_not_declared_is_refused(opened: Opener) -> None:
    async with opened() as store:
        ts, _ = await store.newest()
        with pytest.raises(StoreError, match="no table 'other'"):
            await insert(store, "other", {"_id": 1})
        with pytest.raises(StoreError, match="no index 'by_other'"):
            await store.snapshot(ts).scan("notes", IndexSpec("by_other", ("other",)), EVERYTHING)


async def test_a_table_that_is_not_declared_any_more_keeps_its_documents(opened: Opener, tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        start, _ = await store.newest()
        await insert(store, "notes", {"_id": 1, "rank": 5})
    fewer = SQLiteStore(str(tmp_path / "store.db"))
    await fewer.open([TableSpec("users")])
    [told] = await commits_after(fewer, start, 1)
    assert told.writes[0].table == "notes"
    await fewer.close()
    async with opened(tmp_path / "store.db") as store:
        ts, _ = await store.newest()
        assert ids(await store.snapshot(ts).scan("notes", BY_RANK, EVERYTHING)) == [1]


async def test_an_index_that_is_added_serves_the_past_too(opened: Opener, tmp_path: Path) -> None:
    before = {"_id": 1, "size": 1}
    async with opened(tmp_path / "store.db") as store:
        first = await insert(store, "notes", before)
        second = await store.commit(Batch([replaced("notes", before, size=2)]))
    by_size = IndexSpec("by_size", ("size",))
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open([TableSpec("notes", (*NOTES.indexes, by_size))])
    assert await store.snapshot(first).scan("notes", by_size, EVERYTHING) == [before]
    assert await store.snapshot(second).scan("notes", by_size, EVERYTHING) == [{"_id": 1, "size": 2}]
    await store.close()


# --- documents ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [object(), 1 << 64, "\ud800"], ids=["object", "large integer", "surrogate"])
async def test_what_cannot_be_stored_is_refused(opened: Opener, value: Any) -> None:
    async with opened() as store:
        for field in ("rank", "other"):
            with pytest.raises(StoreError, match="cannot be stored"):
                await insert(store, "notes", {"_id": 1, field: value})
        assert await everything(store, (await store.newest())[0], "notes") == []


async def test_a_document_larger_than_mongodb_allows_is_refused(opened: Opener) -> None:
    async with opened() as store:
        await insert(store, "notes", {"_id": 1, "text": "x" * (16 * 1024 * 1024 - 100)})
        with pytest.raises(StoreError, match="16777216 are allowed"):
            await insert(store, "notes", {"_id": 2, "text": "x" * (16 * 1024 * 1024)})


async def test_a_write_names_the_id_of_its_document(opened: Opener) -> None:
    async with opened() as store:
        [write] = inserted("notes", {"_id": 1})
        with pytest.raises(StoreError, match="_id"):
            await store.commit(Batch([type(write)("notes", 2, None, {"_id": 1})]))


# --- the log --------------------------------------------------------------------------------------------------------------


async def test_a_follower_whose_position_is_gone_is_told_so(opened: Opener, clock: Clock, tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db", seconds=10, commits=1) as store:
        start, _ = await store.newest()
        for number in range(3):
            clock.now += 20
            await insert(store, "notes", {"_id": number})
        newest, _ = await store.newest()
    async with opened(tmp_path / "store.db") as store, following(store, start) as changes:
        gap = await anext(changes)
        assert isinstance(gap, Gap)
        assert (gap.ts, gap.fence) == (newest, 3)
        ts = await insert(store, "notes", {"_id": 9})
        assert (await next_commit(changes)).ts == ts


async def test_a_position_from_another_file_is_a_gap(opened: Opener) -> None:
    async with opened() as store:
        await insert(store, "notes", {"_id": 1})
        newest, fence = await store.newest()
        for position in (newest + 10, 0):
            async with following(store, position) as changes:
                gap = await anext(changes)
                assert isinstance(gap, Gap)
                assert (gap.ts, gap.fence) == (newest, fence)


async def test_a_follower_far_behind_reads_from_the_file(opened: Opener, tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        start, _ = await store.newest()
        present: dict[str, Any] = {"_id": 1}
        times = [await insert(store, "notes", present)]
        for number in range(150):
            times.append(await store.commit(Batch([replaced("notes", present, rank=number)])))
            present = {**present, "rank": number}
    async with opened(tmp_path / "store.db") as store:
        times += [await insert(store, "notes", {"_id": "late"})]
        commits = await commits_after(store, start, len(times))
        assert [each.ts for each in commits] == times
        assert [each.fence for each in commits] == list(range(1, len(times) + 1))
        afters = [each.writes[0].after for each in commits]
        befores = [each.writes[0].before for each in commits]
        assert befores[1:-1] == afters[:-2]


async def test_closing_the_store_wakes_who_waits(opened: Opener) -> None:
    async with asyncio.timeout(PATIENCE):
        async with opened() as store:
            start, _ = await store.newest()
            changes = store.changes(start)
            waiting = asyncio.ensure_future(anext(changes))
            await asyncio.wait([waiting], timeout=0.0)
        with pytest.raises(StoreUnavailable, match="closed"):
            await waiting


# --- the thread -----------------------------------------------------------------------------------------------------------


async def test_the_database_runs_in_one_thread_of_its_own(opened: Opener) -> None:
    async with opened() as store:
        names = await asyncio.gather(*(store._run(lambda _: threading.current_thread().name) for _ in range(20)))
    assert len(set(names)) == 1
    assert names[0].startswith("synovia-sqlite")


async def test_the_event_loop_goes_on_while_the_database_is_at_work(opened: Opener) -> None:
    async with opened() as store:
        may_end = threading.Event()
        blocked = asyncio.ensure_future(store._run(lambda _: may_end.wait(PATIENCE)))
        reading = asyncio.ensure_future(store.newest())
        await asyncio.wait([blocked, reading], timeout=0.0)
        assert not reading.done()
        may_end.set()
        assert await blocked
        await reading


async def test_scans_of_the_newest_do_not_step_over_the_past(opened: Opener) -> None:
    """The statement that reads the newest touches only tables of the newest; the past has tables of its own."""
    async with opened() as store:
        document: dict[str, Any] = {"_id": 1, "rank": 0}
        await insert(store, "notes", document)
        for number in range(50):
            await store.commit(Batch([replaced("notes", document, rank=number + 1)]))
            document = {**document, "rank": number + 1}
        assert await store._execute("SELECT count(*) FROM entries WHERE idx = 1", ()) == (1,)
        assert await store._execute("SELECT count(*) FROM docs", ()) == (1,)
        ts, _ = await store.newest()
        assert await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING) == [document]
