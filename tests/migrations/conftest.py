"""One database that is opened again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from synovia.store import open_store
from synovia.store.base import Store
from synovia.store.mongo import MongoStore


@dataclass(frozen=True)
class Reopened:
    """Makes stores over one and the same database.

    Attributes:
        alone: Only one of them can be open.
    """

    store: Callable[[], Store]
    alone: bool


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Reopened:
    """Give the maker of stores over a database of this test's own."""
    if request.param == "sqlite":
        return Reopened(lambda: open_store(f"sqlite:///{tmp_path / 'data.db'}"), alone=True)
    uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
    return Reopened(lambda: MongoStore(uri, name, patience=0.1), alone=False)
