"""Fixtures of the tests against a real MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from integration.tables import NOTES, USERS
from synovia.store.mongo import MongoStore


@pytest.fixture
def database_name(unused_database: str) -> str:
    """Give the name of a database in which nothing is yet: what is in one matters here."""
    return unused_database


@pytest.fixture
async def store(mongodb_uri: str, database_name: str) -> AsyncIterator[MongoStore]:
    """Give an open store on an empty database with the tables ``users`` and ``notes``."""
    opened = MongoStore(mongodb_uri, database_name, patience=0.2)
    await opened.open([USERS, NOTES])
    yield opened
    await opened.close()


@pytest.fixture
def outside(mongodb_uri: str, database_name: str) -> Iterator[Database[dict[str, Any]]]:
    """Give the same database as another program sees it: through plain PyMongo."""
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield client[database_name]
