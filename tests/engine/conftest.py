"""Stores for the engine's tests: the embedded one and a real MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from synovia.store import open_store
from synovia.store.base import Store
from synovia.store.mongo import MongoStore


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A store that is not open yet; whoever opens it closes it."""
    if request.param == "sqlite":
        yield open_store("sqlite://:memory:")
        return
    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    yield MongoStore(uri, name)
