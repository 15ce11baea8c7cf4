"""Every store of Synovia's own keeps the contract that ``synovia.testing.stores`` ships."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from synovia.store.mongo import MongoStore
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores import MakeStore, PersistentStoreContract, StoreContract

MONGODB = [pytest.param(name, marks=pytest.mark.mongodb) for name in ("mongodb", "mongodb_by_motor")]


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
    @pytest.fixture(params=["sqlite_memory", "sqlite_file", *MONGODB])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made


class TestPersistentStores(PersistentStoreContract):
    @pytest.fixture(params=["sqlite_file", *MONGODB])
    def make_store(self, request: pytest.FixtureRequest) -> MakeStore:
        made: MakeStore = request.getfixturevalue(request.param)
        return made
