"""Which versions of SQLite the embedded store works with: an older one is refused at start, and the docs say so."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from synovia.store.base import StoreUnusable
from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite.connection import OLDEST_SQLITE
from synovia.testing.stores.opening import TABLES

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


async def test_a_sqlite_that_is_too_old_is_refused_before_the_file_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 14, 2))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.14.2")
    with pytest.raises(StoreUnusable, match=r"SQLite 3\.14\.2 is too old: .* SQLite 3\.15\.0 or later"):
        await SQLiteStore(str(tmp_path / "folder" / "store.db")).open(TABLES)
    assert os.listdir(tmp_path) == []


async def test_the_oldest_that_works_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", OLDEST_SQLITE)
    store = SQLiteStore(str(tmp_path / "store.db"))
    await store.open(TABLES)
    await store.close()


def test_the_documentation_names_the_oldest_that_works() -> None:
    _, section = OPERATIONS.read_text().split("\n## SQLite\n")
    assert section.strip().startswith(f"Version {'.'.join(map(str, OLDEST_SQLITE))} or later")
