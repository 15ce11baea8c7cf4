"""Broken connections, killed cursors, a server that ends: nothing is lost, nothing comes twice, nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from helpers.log_reader import LogReader, reading_log
from helpers.mongod import Mongod, NoMongod, ReplicaSet, running_replica_set
from helpers.patience import PATIENCE
from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store.base import (
    Batch,
    Commit,
    Conflict,
    DuplicateRequest,
    NothingWritten,
    RequestRecord,
    SnapshotTooOld,
    StoreUnavailable,
    Ts,
    Write,
)
from synovia.store.mongo import MongoStore

pytestmark = pytest.mark.mongodb

NOTES = TableSpec("notes", (IndexSpec("by_text", ("text",)),))
SESSION = b"s" * 16
DRIVERS_OWN = 25.0
"""Seconds: PyMongo by itself goes on for 30."""


@contextlib.contextmanager
def own_replica_set(members: int = 1) -> Iterator[ReplicaSet]:
    try:
        with running_replica_set(members) as replica_set:
            yield replica_set
    except NoMongod as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def replica_set() -> Iterator[ReplicaSet]:
    """Give a replica set of this file's own, because it is stopped and made to fail."""
    with own_replica_set() as started:
        yield started


@contextlib.asynccontextmanager
async def opened(uri: str) -> AsyncIterator[MongoStore]:
    # An error that the server was told to make is followed by no change of its state, of which it would tell at once: the
    # driver hears that the primary is still there with the next heartbeat, by default within as long as a commit may take.
    store = MongoStore(f"{uri}&heartbeatFrequencyMS=500", f"test_{uuid4().hex[:12]}", patience=0.2)
    await store.open([NOTES])
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(replica_set: ReplicaSet) -> AsyncIterator[MongoStore]:
    async with opened(replica_set.uri) as each:
        yield each


@contextlib.contextmanager
def failing(replica_set: ReplicaSet, commands: Sequence[str], *, times: int, **how: Any) -> Iterator[None]:
    """Make the next ``times`` of these commands fail on the server."""
    with MongoClient[dict[str, Any]](replica_set.uri) as client:
        data = {"failCommands": list(commands), **how}
        client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})
        try:
            yield
        finally:
            client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def note(number: int) -> Batch:
    document = {"_id": number, "text": f"note {number}"}
    return Batch([Write("notes", number, None, document)], [RequestRecord(SESSION, number, b"r")])


async def persist(store: MongoStore, number: int) -> Ts:
    """Commit a note as the committer does: again after an unknown outcome, and at most once."""
    while True:
        try:
            _, fence = await store.newest()
            batch = note(number)
            return await store.commit(Batch(batch.writes, batch.requests, fence))
        except DuplicateRequest:
            return (await store.newest())[0]
        except (StoreUnavailable, Conflict):
            await asyncio.sleep(0)


async def numbers(log: LogReader, count: int) -> list[int]:
    commits = [await log.commit() for _ in range(count)]
    assert [commit.fence for commit in commits] == list(range(1, count + 1))
    return [write.id for commit in commits for write in commit.writes]


# --- commits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 4])
async def test_a_lost_acknowledgement_is_asked_for_again(
    store: MongoStore, replica_set: ReplicaSet, times: int
) -> None:
    ts, _ = await store.newest()
    with failing(replica_set, ["commitTransaction"], times=times, closeConnection=True):
        written = await store.commit(note(1))
    async with reading_log(store, ts) as log:
        [commit] = await log.reach(written)
    assert commit.ts <= written
    assert [write.id for write in commit.writes] == [1]


async def test_a_lost_acknowledgement_of_what_has_been_committed_writes_nothing_twice(
    store: MongoStore, replica_set: ReplicaSet
) -> None:
    ts, _ = await store.newest()
    how = {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}
    with failing(replica_set, ["commitTransaction"], times=3, **how):
        written = await store.commit(note(1))
    async with reading_log(store, ts) as log:
        [commit] = await log.reach(written)
    assert commit.ts <= written
    assert (await store.newest())[1] == commit.fence == 1


@pytest.mark.parametrize("command", ["update", "insert"])
async def test_a_connection_that_breaks_before_the_commit_is_no_conflict(
    store: MongoStore, replica_set: ReplicaSet, command: str
) -> None:
    with failing(replica_set, [command], times=2, closeConnection=True):
        await store.commit(note(1))
    assert (await store.newest())[1] == 1


async def test_a_write_conflict_is_a_conflict(store: MongoStore, replica_set: ReplicaSet) -> None:
    for command in ("update", "insert", "commitTransaction"):
        how = {"errorCode": 112, "errorLabels": ["TransientTransactionError"]}
        with failing(replica_set, [command], times=1, **how), pytest.raises(Conflict):
            await store.commit(Batch(note(1).writes, note(1).requests, fence=0))
    assert (await store.newest())[1] == 0
    assert await store.find_request(SESSION, 1) is None


@pytest.mark.parametrize(("command", "certain"), [("commitTransaction", False), ("insert", True)])
async def test_a_commit_that_fails_for_too_long_is_unavailable_in_time_and_says_whether_it_is_certain(
    replica_set: ReplicaSet, command: str, certain: bool
) -> None:
    store = MongoStore(replica_set.uri, f"test_{uuid4().hex[:12]}", timeout=1.5)
    await store.open([NOTES])
    with failing(replica_set, [command], times=1000, closeConnection=True):
        async with asyncio.timeout(DRIVERS_OWN):
            with pytest.raises(StoreUnavailable) as failure:
                await store.commit(note(1))
    assert isinstance(failure.value, NothingWritten) is certain
    await store.close()


# --- the log ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {"errorCode": 0, "closeConnection": True},
        {"errorCode": 43},  # CursorNotFound
        {"errorCode": 237},  # CursorKilled
        {"errorCode": 189, "errorLabels": ["ResumableChangeStreamError"]},  # PrimarySteppedDown
        {"errorCode": 280},  # ChangeStreamFatalError: the only ones that lose the position
        {"errorCode": 286},  # ChangeStreamHistoryLost
    ],
)
async def test_a_failing_stream_goes_on_where_it_stopped(
    store: MongoStore, replica_set: ReplicaSet, how: dict[str, Any]
) -> None:
    ts, _ = await store.newest()
    async with reading_log(store, ts) as log:
        await store.commit(note(0))
        await log.commit()
        with failing(replica_set, ["getMore", "aggregate"], times=2, **how):
            for number in (1, 2, 3):
                await store.commit(note(number))
            if how["errorCode"] in (280, 286):
                assert (await log.gap()).ts >= ts
                return
            assert [write.id for _ in range(3) for write in (await log.commit()).writes] == [1, 2, 3]


async def test_killed_cursors_are_opened_again(store: MongoStore, replica_set: ReplicaSet) -> None:
    ts, _ = await store.newest()
    with MongoClient[dict[str, Any]](replica_set.uri) as client:
        async with reading_log(store, ts) as log:
            for number in range(5):
                await store.commit(note(number))
                assert [write.id for write in (await log.commit()).writes] == [number]
                client.admin.command({"killAllSessions": []})


async def test_an_instant_that_the_server_has_forgotten_is_too_old(store: MongoStore, replica_set: ReplicaSet) -> None:
    ts, _ = await store.newest()
    with MongoClient[dict[str, Any]](replica_set.uri) as client:
        client.admin.command({"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 0})
        try:
            with pytest.raises(SnapshotTooOld):
                await read_while_writing(store, ts)
        finally:
            client.admin.command({"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 300})
    with pytest.raises(SnapshotTooOld):
        await store.snapshot(1 << 32).get("notes", [1])


async def read_while_writing(store: MongoStore, ts: Ts) -> None:
    """Read at one instant again and again; with every write the server may forget older ones."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await store.commit(Batch())
            await store.snapshot(ts).get("notes", [1])


async def test_the_clock_advances_though_nothing_is_written_here(store: MongoStore, replica_set: ReplicaSet) -> None:
    ts, _ = await store.newest()
    with MongoClient[dict[str, Any]](replica_set.uri) as client:
        async with reading_log(store, ts) as log:
            for number in range(3):
                client.elsewhere.things.insert_one({"number": number})
                item = await log.any_next()
                assert isinstance(item, Commit)
                assert not item.writes
                assert item.fence is None


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
async def test_a_restarted_server_loses_nothing(store: MongoStore, replica_set: ReplicaSet, kill: bool) -> None:
    count, [server] = 40, replica_set.members
    ts, _ = await store.newest()

    async def write() -> None:
        for number in range(count):
            await persist(store, number)

    async with reading_log(store, ts) as log:
        writing = asyncio.create_task(write())
        first = [(await log.commit()).fence for _ in range(10)]
        await asyncio.to_thread(restart, server, kill)
        rest = [await log.commit() for _ in range(count - 10)]
        await writing
    assert first + [commit.fence for commit in rest] == list(range(1, count + 1))
    assert (await store.newest())[1] == count
    assert [write.id for commit in rest for write in commit.writes] == list(range(10, count))


def restart(server: Mongod, kill: bool) -> None:
    server.stop(kill=kill)
    server.start()


async def test_a_new_primary_goes_on_where_the_old_one_stopped() -> None:
    count = 60
    with own_replica_set(3) as replica_set:
        async with opened(replica_set.uri) as store:
            ts, _ = await store.newest()

            async def write() -> None:
                for number in range(count):
                    await persist(store, number)

            async with reading_log(store, ts) as log:
                writing = asyncio.create_task(write())
                commits = [await log.commit() for _ in range(20)]
                await asyncio.to_thread(kill_primary, replica_set)
                commits += [await log.commit() for _ in range(count - 20)]
                await writing
            assert [commit.fence for commit in commits] == list(range(1, count + 1))
            assert [write.id for commit in commits for write in commit.writes] == list(range(count))


def kill_primary(replica_set: ReplicaSet) -> None:
    with MongoClient[dict[str, Any]](replica_set.uri) as client:
        client.admin.command("ping")
        assert client.address is not None
        port = client.address[1]
    next(each for each in replica_set.members if each.port == port).stop(kill=True)


async def test_everything_answers_in_time_when_the_server_is_away() -> None:
    with own_replica_set() as replica_set:
        store = MongoStore(replica_set.uri, "test_away", timeout=1.0)
        await store.open([NOTES])
        ts, fence = await store.newest()
        replica_set.members[0].stop()
        snapshot = store.snapshot(ts)
        calls = [
            store.ping(),
            store.newest(),
            snapshot.get("notes", [1]),
            store.commit(Batch(note(1).writes, (), fence)),
            store.find_request(SESSION, 1),
            store.arrays.get_chunk(b"d" * 32),
        ]
        async with asyncio.timeout(DRIVERS_OWN):
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [
            *3 * [StoreUnavailable],
            NothingWritten,
            *2 * [StoreUnavailable],
        ]
        await store.close()
