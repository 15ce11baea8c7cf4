"""Small commits take two trips to the database, past the layers of the driver; where that cannot be, they go through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.database import Database
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionClosedEvent,
    ConnectionPoolListener,
)

from helpers.patience import PATIENCE
from integration.tables import NOTES
from synovia.store.base import Batch, Commit, Conflict, RequestRecord, StoreUnavailable, Write
from synovia.store.mongo import MongoStore
from synovia.store.mongo.wire import Wire

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]


def batch(number: int, fence: int | None, text: str = "") -> Batch:
    document = {"_id": number, "text": text}
    return Batch([Write("notes", number, None, document)], [RequestRecord(bytes(16), number, b"r")], fence)


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of the commands that were sent together, but those of the log."""
    found: list[list[str]] = []
    run = Wire.run

    async def noting(self: Wire, commands: Any, *args: Any, **options: Any) -> Any:
        names = [next(iter(each)) for each in commands]
        if names[0] not in ("aggregate", "getMore"):
            found.append(names)
        return await run(self, commands, *args, **options)

    monkeypatch.setattr(Wire, "run", noting)
    return found


async def test_a_small_commit_takes_two_trips_and_three_while_another_hub_is_about(
    store: MongoStore, trips: list[list[str]]
) -> None:
    _, fence = await store.newest()
    await store.commit(batch(1, fence))
    assert trips == [["update", "insert", "insert"], ["commitTransaction"]]
    with pytest.raises(Conflict):
        await store.commit(batch(2, fence))
    trips.clear()
    await store.commit(batch(2, fence + 1))
    assert trips == [["update"], ["insert", "insert"], ["commitTransaction"]]
    with pytest.raises(Conflict):
        await store.commit(batch(3, fence))
    assert trips[3:] == [["update"]], "nothing else is written in vain"


async def test_what_was_sent_behind_a_fence_that_is_elsewhere_is_not_there(store: MongoStore, outside: Outside) -> None:
    _, fence = await store.newest()
    await store.commit(batch(1, fence))
    with pytest.raises(Conflict, match="fence"):
        await store.commit(batch(2, fence))
    assert [each["_id"] for each in outside.notes.find()] == [1]
    assert await store.find_request(bytes(16), 2) is None


async def test_a_commit_that_is_cancelled_leaves_no_answer_behind_for_the_next_one(
    store: MongoStore, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, fence = await store.newest()
    sent, exchange = asyncio.Event(), Wire._exchange

    async def noting(self: Wire, *args: Any) -> Any:
        asyncio.get_running_loop().call_soon(sent.set)
        return await exchange(self, *args)

    monkeypatch.setattr(Wire, "_exchange", noting)
    for number in range(1, 6):
        sent.clear()
        commit = asyncio.create_task(store.commit(batch(number, None)))
        await sent.wait()
        commit.cancel()
        await asyncio.wait([commit])
        _, fence = await store.newest()
        await store.commit(batch(100 + number, fence))
    assert {each["_id"] for each in outside.notes.find()} >= {101, 102, 103, 104, 105}


class Closings(ConnectionPoolListener):
    """Counts the connections that were closed."""

    def __init__(self) -> None:
        self.number = 0

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        self.number += 1

    def pool_created(self, event: Any) -> None: ...

    pool_ready = pool_cleared = pool_closed = pool_created
    connection_created = connection_ready = pool_created
    connection_check_out_started = connection_check_out_failed = connection_checked_out = pool_created
    connection_checked_in = pool_created


async def test_a_chunk_takes_one_trip_and_whoever_stops_waiting_for_it_costs_no_connection(
    mongodb_uri: str, database_name: str, trips: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch is cancelled as often as somebody moves a plot on."""
    closings, asked, exchange = Closings(), asyncio.Event(), Wire._exchange

    async def noting(self: Wire, *args: Any) -> Any:
        asyncio.get_running_loop().call_soon(asked.set)
        return await exchange(self, *args)

    async with (
        AsyncMongoClient[dict[str, Any]](mongodb_uri, event_listeners=[closings]) as client,
        opened(client, database_name) as store,
    ):
        data = bytes(300_000)
        await store.arrays.put_chunk(b"d" * 32, data)
        assert await store.arrays.get_chunk(b"d" * 32) == data
        assert await store.arrays.get_chunk(b"e" * 32) is None
        assert trips[-2:] == [["find"], ["find"]]
        monkeypatch.setattr(Wire, "_exchange", noting)
        closed = closings.number
        for _ in range(5):
            asked.clear()
            reading = asyncio.create_task(store.arrays.get_chunk(b"d" * 32))
            await asked.wait()
            reading.cancel()
            await asyncio.wait([reading])
            assert reading.cancelled()
            assert await store.arrays.get_chunk(b"d" * 32) == data
        assert closings.number == closed


async def test_a_store_that_is_closed_tells_who_waits_for_a_chunk(
    mongodb_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def never(self: Wire, *args: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        store = MongoStore(client, database_name, patience=0.2)
        await store.open([NOTES])
        monkeypatch.setattr(Wire, "_exchange", never)
        reading = asyncio.create_task(store.arrays.get_chunk(b"d" * 32))
        await asked.wait()
        await store.close()
        with pytest.raises(StoreUnavailable):
            await reading


class Listener(CommandListener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@asynccontextmanager
async def opened(client: AsyncMongoClient[Any], name: str) -> AsyncIterator[MongoStore]:
    store = MongoStore(client, name, patience=0.2)
    await store.open([NOTES])
    try:
        yield store
    finally:
        await store.close()


async def test_who_listens_to_commands_hears_of_all_of_them(
    mongodb_uri: str, database_name: str, trips: list[list[str]]
) -> None:
    listener = Listener()
    async with (
        AsyncMongoClient[Any](mongodb_uri, event_listeners=[listener]) as client,
        opened(client, database_name) as store,
    ):
        listener.names.clear()
        await store.commit(batch(1, 0))
    assert listener.names[:4] == ["update", "insert", "insert", "commitTransaction"]
    assert trips == []


@pytest.mark.parametrize(("most", "expected"), [(100, 0), (8, 3)])
async def test_a_connection_is_kept_between_commits_if_the_pool_is_not_small(
    mongodb_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch, most: int, expected: int
) -> None:
    taken, checkout = list[object](), AsyncMongoClient._checkout

    def noting(self: AsyncMongoClient[Any], server: Any, session: Any) -> Any:
        taken.append(session)
        return checkout(self, server, session)

    async with (
        AsyncMongoClient[Any](mongodb_uri, maxPoolSize=most, heartbeatFrequencyMS=3_600_000) as client,
        opened(client, database_name) as store,
    ):
        await store.commit(batch(1, 0))
        monkeypatch.setattr(AsyncMongoClient, "_checkout", noting)
        for number in range(2, 5):
            await store.commit(batch(number, number - 1))
    assert len(taken) == expected


async def test_two_connections_are_enough_for_the_log_and_commits(mongodb_uri: str, database_name: str) -> None:
    async with (
        AsyncMongoClient[Any](mongodb_uri, maxPoolSize=2) as client,
        opened(client, database_name) as store,
        asyncio.timeout(PATIENCE),
    ):
        position, fence = await store.newest()
        async with aclosing(store.changes(position)) as changes:
            for number in range(1, 4):
                committing = asyncio.create_task(store.commit(batch(number, fence + number - 1)))
                while not isinstance(each := await anext(changes), Commit) or not each.writes:
                    pass
                assert [write.id for write in each.writes] == [number]
                assert await committing == each.ts


async def test_a_kept_connection_that_was_lost_is_not_used(store: MongoStore, outside: Outside) -> None:
    await store.commit(batch(1, 0))
    assert store._driver._primary is not None
    (kept,) = store._driver._primary._kept
    await kept.connection.close_conn(None)
    await store.commit(batch(2, 1))
    assert outside.notes.count_documents({}) == 2


async def test_a_batch_that_is_too_large_for_one_message_goes_in_several(
    store: MongoStore, outside: Outside, trips: list[list[str]]
) -> None:
    writes = [Write("notes", number, None, {"_id": number, "text": "x" * (1 << 20)}) for number in range(6)]
    await store.commit(Batch(writes, fence=0))
    assert outside.notes.count_documents({}) == 6
    assert trips == [["update", "insert"]], "made ready once, and not sent"
