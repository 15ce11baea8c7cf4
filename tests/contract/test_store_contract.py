"""Every store of Synovia's own keeps the contract that ``synovia.testing.stores`` ships."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from synovia.store.mongo import MongoStore
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores import MakeStore, PersistentStoreContract, StoreContract
from synovia.testing.stores.changes import ChangesContract
from synovia.testing.stores.commits import CommitContract
from synovia.testing.stores.histories import HistoryContract
from synovia.testing.stores.storage import ArrayContract

MONGODB = pytest.param("mongodb", marks=pytest.mark.mongodb)
BY_MOTOR = pytest.param("mongodb_by_motor", marks=pytest.mark.mongodb)


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
async def mongodb_by_motor(mongodb_uri: str, database_name: str) -> AsyncIterator[MakeStore]:
    from motor.motor_asyncio import AsyncIOMotorClient

    client: Any = AsyncIOMotorClient(mongodb_uri)
    yield lambda: MongoStore(client, database_name, patience=0.1)
    client.close()


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

    @pytest.fixture(params=["sqlite_file", MONGODB, BY_MOTOR])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made


class TestByMotor(CommitContract, ChangesContract, ArrayContract, HistoryContract):
    """What depends on the client: transactions, the log, arrays, and reads as of any time.

    What a filter means is up to the server, which is asked the same by whatever client.
    """

    @pytest.fixture(params=[BY_MOTOR])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made
