"""The stores that the contract suite runs against; a new store adds itself to ``FACTORIES``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store.base import Store
from synovia.store.sqlite import SQLiteStore

BY_RANK = IndexSpec("by_rank", ("rank",))
BY_TAG = IndexSpec("by_tag", ("tags",))
BY_PLACE = IndexSpec("by_place", ("place.city", "rank"))
BY_MEMBER = IndexSpec("by_member", ("members.userId",))
NOTES = TableSpec("notes", (BY_RANK, BY_TAG, BY_PLACE, BY_MEMBER))

BY_EMAIL = IndexSpec("by_email", ("email",), unique=True)
BY_ALIAS = IndexSpec("by_alias", ("team", "aliases"), unique=True)
USERS = TableSpec("users", (BY_EMAIL, BY_ALIAS))

TABLES = (NOTES, USERS)

Reopen = Callable[[Sequence[TableSpec]], Awaitable[Store]]


@dataclass
class Opened:
    """An open store, and how to close it and open it again over the same data."""

    store: Store
    reopen: Reopen


Factory = Callable[[pytest.FixtureRequest, Sequence[TableSpec]], AbstractAsyncContextManager[Opened]]


@asynccontextmanager
async def keeping(make: Callable[[], Store], tables: Sequence[TableSpec]) -> AsyncIterator[Opened]:
    """Open the stores that ``make`` gives one after the other, each over the data of the one before."""

    async def reopen(changed: Sequence[TableSpec]) -> Store:
        await opened.store.close()
        opened.store = make()
        await opened.store.open(changed)
        return opened.store

    opened = Opened(make(), reopen)
    await opened.store.open(tables)
    try:
        yield opened
    finally:
        await opened.store.close()


def sqlite_memory(request: pytest.FixtureRequest, tables: Sequence[TableSpec]) -> AbstractAsyncContextManager[Opened]:
    return keeping(SQLiteStore, tables)


def sqlite_file(request: pytest.FixtureRequest, tables: Sequence[TableSpec]) -> AbstractAsyncContextManager[Opened]:
    path = request.getfixturevalue("tmp_path") / "store.db"
    return keeping(lambda: SQLiteStore(str(path)), tables)


def mongodb(request: pytest.FixtureRequest, tables: Sequence[TableSpec]) -> AbstractAsyncContextManager[Opened]:
    from synovia.store.mongo import MongoStore

    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    return keeping(lambda: MongoStore(uri, name, patience=0.1), tables)


@asynccontextmanager
async def mongodb_by_motor(request: pytest.FixtureRequest, tables: Sequence[TableSpec]) -> AsyncIterator[Opened]:
    from motor.motor_asyncio import AsyncIOMotorClient

    from synovia.store.mongo import MongoStore

    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    client: Any = AsyncIOMotorClient(uri)
    try:
        async with keeping(lambda: MongoStore(client, name, patience=0.1), tables) as opened:
            yield opened
    finally:
        client.close()


PERSISTENT: list[Any] = [
    pytest.param(sqlite_file, id="sqlite-file"),
    pytest.param(mongodb, id="mongodb", marks=pytest.mark.mongodb),
    pytest.param(mongodb_by_motor, id="mongodb-motor", marks=pytest.mark.mongodb),
]
FACTORIES: list[Any] = [pytest.param(sqlite_memory, id="sqlite-memory"), *PERSISTENT]
