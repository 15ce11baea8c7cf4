"""Every store of Synovia's own keeps the contract that ``synovia.testing.stores`` ships."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from synovia.store.mongo import MongoStore
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores import MakeStore, PersistentStoreContract, StoreContract
from synovia.testing.stores.changes import ChangesContract
from synovia.testing.stores.commits import CommitContract
from synovia.testing.stores.histories import HistoryContract
from synovia.testing.stores.storage import ArrayContract

MONGODB = pytest.param("mongodb", marks=pytest.mark.mongodb)
LISTENED_TO = pytest.param("mongodb_listened_to", marks=pytest.mark.mongodb)


class Listener(CommandListener):
    """Is told of every command: all have to go through the driver."""

    def started(self, event: CommandStartedEvent) -> None: ...

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@pytest.fixture
def sqlite_memory() -> MakeStore:
    return SQLiteStore


@pytest.fixture
def sqlite_file(tmp_path: Path) -> MakeStore:
    return lambda: SQLiteStore(str(tmp_path / "store.db"))


@pytest.fixture
def mongodb(mongodb_uri: str, database_name: str) -> MakeStore:
    return lambda: MongoStore(mongodb_uri, database_name, patience=0.1)


@pytest.fixture
async def mongodb_listened_to(mongodb_uri: str, database_name: str) -> AsyncIterator[MakeStore]:
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri, event_listeners=[Listener()]) as client:
        yield lambda: MongoStore(client, database_name, patience=0.1)


class TestStores(StoreContract):
    @pytest.fixture(params=["sqlite_memory", "sqlite_file", MONGODB])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made


class TestPersistentStores(PersistentStoreContract):
    @pytest.fixture
    def database_name(self, unused_database: str) -> str:
        """What is in a database is what this store has made in it."""
        return unused_database

    @pytest.fixture(params=["sqlite_file", MONGODB, LISTENED_TO])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made


class TestThroughTheDriver(CommitContract, ChangesContract, ArrayContract, HistoryContract):
    """A client that is handed over, and wants what the driver does around a command: transactions, the log, arrays, and
    reads as of any time. What a filter means is up to the server, which is asked the same."""

    @pytest.fixture(params=[LISTENED_TO])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made
