"""Fixtures of the tests of checks and migrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.reopened_stores import Reopened
from synovia.store import open_store
from synovia.store.mongo import MongoStore


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Reopened:
    """Give the maker of stores over a database of this test's own."""
    if request.param == "sqlite":
        return Reopened(lambda: open_store(f"sqlite:///{tmp_path / 'data.db'}"), alone=True)
    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    return Reopened(lambda: MongoStore(uri, name, patience=0.1), alone=False)
