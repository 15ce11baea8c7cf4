"""A usual commit of the embedded store is one statement; what forbids it is told all the same, and leaves nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bson
import pytest

from synovia.store.base import (
    ArrayManifest,
    ArrayMissing,
    Batch,
    Conflict,
    DuplicateRequest,
    RequestRecord,
    StoreError,
    StoreUnavailable,
    StoreUnusable,
    UniqueViolation,
    Write,
)
from synovia.store.sqlite import SQLiteStore, connection, database, history, steps, writing
from synovia.store.sqlite.history import Retention
from synovia.testing.stores.opening import TABLES

KEPT = ("docs", "past_docs", "entries", "past_entries", "log", "commits", "requests", "meta")


@pytest.fixture(params=[Retention()])
async def store(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(str(tmp_path / "store.db"), clock=lambda: 1.0, retention=request.param)
    await store.open(TABLES)
    yield store
    await store.close()


def write(id_: Any, before: dict[str, Any] | None, after: dict[str, Any] | None, table: str = "notes") -> Write:
    versions = [None if each is None else {"_id": id_, **each} for each in (before, after)]
    bodies = [b"" if each is None else bson.encode(each) for each in versions]
    return Write(table, id_, versions[0], versions[1], (bodies[0], bodies[1]))


def record(number: int) -> RequestRecord:
    return RequestRecord(b"session", number, b"done")


async def said(store: SQLiteStore, batch: Batch) -> list[str]:
    """Commit, and give the beginnings of the statements by which that was done.

    SQLite tells of one that sets triggers off again at each of these, so each counts once.
    """
    heard: list[str] = []
    await store._run_arrays(lambda database: database.set_trace_callback(heard.append))
    try:
        await store.commit(batch)
    finally:
        await store._run_arrays(lambda database: database.set_trace_callback(None))
    return [each[:18] for each in dict.fromkeys(heard)]


async def rows(store: SQLiteStore) -> list[Any]:
    def read(table: str) -> list[Any]:
        assert store._database is not None
        return store._database.connection.execute(f"SELECT * FROM {table}").fetchall()

    return [await store._run(lambda _, table=table: read(table)) for table in KEPT]  # type: ignore[misc]


ARRAY: dict[str, Any] = {"digest": bytes(32), "dtype": "<f8", "shape": [0]}
ONE = ["INSERT INTO steps "]


async def test_a_usual_commit_is_one_statement(store: SQLiteStore) -> None:
    before, after, other = {"rank": 1, "tags": ["a"]}, {"rank": 2, "tags": ["b"]}, {"rank": 1}
    inserts = [
        write(1, None, before),
        write(2, None, other),
        write("x", None, {"email": "x", "aliases": ["x"]}, "users"),
    ]
    assert await said(store, Batch(inserts, [record(1), record(2)], clock=7)) == ONE
    assert await said(store, Batch([write(1, before, after), write(2, other, None)], [record(3)], fence=1)) == ONE
    assert await store.clock() == 7
    await store.arrays.put_manifest(ArrayManifest(bytes(32), "<f8", 0, ()))
    assert await said(store, Batch([write(4, None, {"data": ARRAY})])) == ONE
    assert await said(store, Batch(requests=[record(4)])) == ONE, "nor does it take more if nothing is written"


@pytest.mark.parametrize("store", [Retention(0.0, 10, 10.0)], indirect=True)
async def test_pruning_is_a_part_of_it_and_how_far_that_has_come_is_read_behind_it(store: SQLiteStore) -> None:
    heard = [await said(store, Batch([write(number, None, {})])) for number in range(20)]
    assert heard == [[*ONE, "SELECT value FROM "]] * 20
    assert len((await rows(store))[KEPT.index("commits")]) < 15


@pytest.mark.parametrize(
    ("batch", "error"),
    [
        (Batch([write(2, None, {}), write(1, {"rank": 7}, {"rank": 2})]), Conflict),
        (Batch([write(2, None, {}), write(1, {"rank": 7}, None)]), Conflict),
        (Batch([write(2, None, {}), write(1, None, {"rank": 2})]), Conflict),
        (Batch([write(3, {"rank": 1}, {"rank": 2})]), Conflict),
        (Batch([write(3, {"rank": 1}, None)]), Conflict),
        (Batch([write(2, None, {})], fence=7), Conflict),
        (Batch([write(2, None, {})], [record(8), record(1)]), DuplicateRequest),
        (Batch([write(2, None, {})], [record(8), record(8)]), DuplicateRequest),
        (Batch([write(2, None, {"data": ARRAY})]), ArrayMissing),
        (Batch([write("y", None, {"email": "x", "aliases": ["x"]}, "users")]), UniqueViolation),
    ],
)
async def test_what_forbids_it_is_told_and_nothing_is_left(
    store: SQLiteStore, batch: Batch, error: type[StoreError]
) -> None:
    user = write("x", None, {"email": "x", "aliases": ["x"]}, "users")
    await store.commit(Batch([write(1, None, {"rank": 1}), user], [record(1)]))
    before, newest = await rows(store), await store.newest()
    with pytest.raises(error):
        await store.commit(batch)
    assert await rows(store) == before
    assert await store.newest() == newest
    assert await said(store, Batch([write(2, None, {})], [record(9)])) == ONE


MISSING: list[dict[str, Any]] = [{**ARRAY, "digest": bytes([number]) * 32} for number in range(1, 4)]


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (Batch([write(1, None, {})], [record(8), record(2), record(1)], fence=7), DuplicateRequest(b"session", 2)),
        (Batch([write(1, None, {"data": MISSING[0]})], fence=7), Conflict("the fence is 1, not 7")),
        (Batch([write(1, None, {}), write(2, None, {"data": MISSING[::-1]})]), ArrayMissing(MISSING[0]["digest"])),
        (
            Batch([write(5, {"rank": 1}, {}), write(1, None, {})]),
            Conflict("notes: document 5 does not exist"),
        ),
        (
            Batch([write("y", None, {"email": "x", "aliases": []}, "users"), write(1, None, {})]),
            Conflict("notes: document 1 exists already"),
        ),
        (
            Batch([write("y", None, {"aliases": ["x"]}, "users"), write("z", None, {"email": "x"}, "users")]),
            UniqueViolation("users", "by_alias"),
        ),
    ],
)
async def test_of_several_faults_the_first_in_a_given_order_is_told(
    store: SQLiteStore, batch: Batch, told: StoreError, as_bytes: bool
) -> None:
    user = write("x", None, {"email": "x", "aliases": ["x"]}, "users")
    await store.commit(Batch([write(1, None, {"rank": 1}), user], [record(1), record(2)]))
    writes = [each if as_bytes else replace(each, bodies=None) for each in batch.writes]
    with pytest.raises(type(told)) as raised:
        await store.commit(replace(batch, writes=writes))
    assert str(raised.value) == str(told)


async def test_however_many_arrays_a_commit_refers_to_one_statement_renews_them(store: SQLiteStore) -> None:
    for each in MISSING:
        await store.arrays.put_manifest(ArrayManifest(each["digest"], "<f8", 0, ()))
    one, three = (replace(write(n, None, {"data": MISSING[:n]}), bodies=None) for n in (1, 3))
    assert await said(store, Batch([one])) == await said(store, Batch([three]))


async def test_that_it_is_a_duplicate_is_told_before_that_its_document_cannot_be_stored(store: SQLiteStore) -> None:
    lists = {"team": ["a", "b"], "aliases": ["c", "d"]}  # two in one key, which no index can hold
    await store.commit(Batch([], [record(1)]))
    with pytest.raises(DuplicateRequest):
        await store.commit(Batch([write(1, None, lists, "users")], [record(1)]))
    with pytest.raises(StoreError, match="cannot hold the document"):
        await store.commit(Batch([write(1, None, lists, "users")], [record(2)]))


async def test_what_fails_when_it_is_written_is_not_taken_for_unwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(database: sqlite3.Connection, name: str) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    store = SQLiteStore(str(tmp_path / "store.db"), clock=lambda: 1.0, retention=Retention(0.0, 10, 10.0))
    await store.open(TABLES)
    with monkeypatch.context() as patch:
        patch.setattr(history, "get_meta", fail)
        with pytest.raises(StoreUnavailable, match="nobody can tell"):
            await store.commit(Batch([write(1, None, {"rank": 1})], [record(1)]))
    with pytest.raises(StoreUnusable, match="start the server again"):
        await store.commit(Batch([write(2, None, {"rank": 2})], [record(2)]))
    await store.close()
    later = SQLiteStore(str(shutil.copytree(tmp_path, tmp_path / "later") / "store.db"))
    await later.open(TABLES)
    assert await later.find_request(b"session", 1) is not None
    assert (await later.newest())[1] == 1
    await later.close()


async def test_a_batch_of_more_steps_than_a_statement_may_have_is_written_all_the_same(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(number) for number in range(steps.MOST_ROWS + 1)]
    tags = [f"{number}" for number in range(2 * steps.MOST_ROWS)]
    await store.commit(Batch([write(1, None, {"tags": tags})], records))
    assert await store.find_request(b"session", steps.MOST_ROWS) == records[-1]
    await store.commit(Batch([write(1, {"tags": tags}, {"tags": []})]))
    assert len((await rows(store))[KEPT.index("past_entries")]) >= len(tags)


async def test_documents_of_many_bytes_are_not_given_to_one_statement(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changes(letter: str | None, after: str | None) -> Batch:
        before, after_ = (None if each is None else {"text": each * 400} for each in (letter, after))
        return Batch([write(id_, before, after_) for id_ in range(3)])

    monkeypatch.setattr(writing, "_MOST_BYTES", 2_000)
    assert await said(store, changes(None, "a")) == ONE
    assert len(await said(store, changes("a", "b"))) > len(ONE), "the documents before it count, too"
    assert await said(store, changes("b", None)) == ONE


async def test_a_statement_has_no_more_parameters_than_this_sqlite_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 999  # of those older than 3.32: https://www.sqlite.org/limits.html#max_variable_number

    def connect(path: str, lock_timeout: float) -> sqlite3.Connection:
        opened = connection.connect(path, lock_timeout)
        opened.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most)
        return opened

    monkeypatch.setattr(database, "connect", connect)
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open(TABLES)
    tags = [f"{number}" for number in range(most)]
    records = [record(number) for number in range(most)]
    await store.commit(Batch([write(1, None, {"tags": tags})], records))
    await store.commit(Batch([write(1, {"tags": tags}, {"rank": 1})]))
    with pytest.raises(DuplicateRequest):
        await store.commit(Batch([], records[-1:]))
    few = tags[: most // 10]
    assert await said(store, Batch([write(2, None, {"tags": few})])) == ONE
    await store.close()


def test_every_sqlite_reads_the_steps() -> None:
    """One older than 3.39, as that of Ubuntu 22.04, refuses HAVING without GROUP BY, but only when something is inserted."""
    bodies = [" ".join(body.split()) for _, body in steps._STEPS.values()]
    assert not [body for body in bodies if "HAVING" in body and "GROUP BY" not in body]


async def test_a_document_that_a_later_write_has_given_a_key_up_for_may_have_it(store: SQLiteStore) -> None:
    one: dict[str, Any] = {"email": "a", "aliases": ["a"]}
    other: dict[str, Any] = {"email": "b", "aliases": ["b"]}
    await store.commit(Batch([write(1, None, one, "users"), write(2, None, other, "users")]))
    assert await said(store, Batch([write(1, one, other, "users"), write(2, other, one, "users")])) != []


async def test_times_are_in_order_when_the_clock_is_set_back(tmp_path: Path) -> None:
    times = iter([10.0, 20.0, 20.0, 5.0, 6.0])
    store = SQLiteStore(str(tmp_path / "store.db"), clock=lambda: next(times, 6.0))
    await store.open(TABLES)
    for id_ in range(4):
        await store.commit(Batch([write(id_, None, {})]))
    found = [row[2] for row in (await rows(store))[KEPT.index("commits")]]
    assert found == sorted(found)
    assert found[-1] < 10.0
    await store.close()
