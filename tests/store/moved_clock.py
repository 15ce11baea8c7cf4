"""Embedded stores whose clock a test moves, and what is in their files."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite.history import Retention
from synovia.testing.clock import Clock
from synovia.testing.stores.opening import TABLES

START = 1_700_000_000.0
Opener = Callable[..., AbstractAsyncContextManager[SQLiteStore]]


def opener(clock: Clock) -> Opener:
    """Give what opens a store by this clock, and closes it when the block ends."""

    @asynccontextmanager
    async def open_one(path: str | Path = ":memory:", **retention: float) -> AsyncIterator[SQLiteStore]:
        store = SQLiteStore(str(path), clock=clock, retention=Retention(**retention), lock_timeout=0)  # type: ignore[arg-type]
        await store.open(TABLES)
        try:
            yield store
        finally:
            await store.close()

    return open_one


def rows(path: Path, *tables: str) -> list[int]:
    """Count the rows of tables in a file that nobody has open."""
    connection = sqlite3.connect(path)
    try:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    finally:
        connection.close()
