"""Which errors of the databases pass: one rule for both stores, and nothing else is tried again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from bson.errors import InvalidDocument
from pymongo import errors

from synovia.schema.specs import TableSpec
from synovia.store import base
from synovia.store.base import Batch, StoreError, StoreFull, Write
from synovia.store.mongo.errors import address_refused, translated
from synovia.store.sqlite import SQLiteStore
from synovia.store.sqlite.errors import translated as translated_by_sqlite

PASSING = {
    "Conflict",
    "NothingWritten",
    "ObjectsUnavailable",
    "SnapshotTooOld",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
}


def test_of_the_errors_of_the_contract_these_pass() -> None:
    kinds = [each for each in vars(base).values() if isinstance(each, type) and issubclass(each, StoreError)]
    assert {each.__name__ for each in kinds if each.passing} == PASSING
    assert len(kinds) > 6


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (errors.AutoReconnect("connection closed"), True),
        (errors.ServerSelectionTimeoutError("no primary"), True),
        (errors.WaitQueueTimeoutError("no connection is free"), True),
        (errors.NotPrimaryError("not primary"), True),
        (errors.InvalidOperation("Cannot use AsyncMongoClient after close"), True),
        (TimeoutError(), True),
        (errors.OperationFailure("primary steps down", 189), True),
        (errors.OperationFailure("cursor killed", 237), True),
        (errors.ExecutionTimeout("operation exceeded time limit", 50), True),
        (errors.OperationFailure("disk is full", 14031), True),
        (errors.OperationFailure("snapshot unavailable", 246), True),
        (errors.OperationFailure("error processing query: bad hint", 2), False),
        (errors.OperationFailure("bad hint", 51174), False),
        (errors.OperationFailure("not authorized", 13), False),
        (errors.OperationFailure("authentication failed", 18), False),
        (errors.OperationFailure("unknown operator $foo", 2), False),
        (errors.OperationFailure("document too large", 10334), False),
        (errors.OperationFailure("cannot index parallel arrays", 171), False),
        (errors.OperationFailure("cannot index parallel arrays"), False),
        (errors.ConfigurationError("bad option"), False),
        (errors.ConfigurationError("Sessions are not supported by this MongoDB deployment"), True),
        (errors.InvalidName("a name must not be empty"), False),
        (errors.EncryptionError(ValueError("no key")), False),
        (errors.DocumentTooLarge("too large"), False),
        (InvalidDocument("cannot encode"), False),
    ],
    ids=lambda value: value if isinstance(value, bool) else f"{type(value).__name__} {value}"[:40],
)
def test_errors_of_mongodb(error: Exception, passes: bool) -> None:
    assert translated(error).passing is passes


@pytest.mark.parametrize("error", [errors.InvalidURI("no scheme"), ValueError("the port must be a number")])
def test_an_address_that_cannot_be_used_does_not_become_good(error: Exception) -> None:
    assert not address_refused(error).passing


def of_sqlite(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_LOCKED, True),
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_WRITE, True),
        (sqlite3.SQLITE_ERROR, False),
        (sqlite3.SQLITE_CORRUPT, False),
        (sqlite3.SQLITE_NOTADB, False),
        (sqlite3.SQLITE_TOOBIG, False),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, False),
        (sqlite3.SQLITE_MISUSE, False),
    ],
)
def test_errors_of_sqlite(code: int, passes: bool) -> None:
    assert translated_by_sqlite("file", of_sqlite(code)).passing is passes


async def test_a_full_disk_passes_and_nonsense_does_not(tmp_path: Path) -> None:
    store = SQLiteStore(str(tmp_path / "full.db"))
    await store.open([TableSpec("notes")])
    try:
        with pytest.raises(StoreError) as nonsense:
            await store._execute("SELECT nonsense", ())
        assert not nonsense.value.passing
        pages = await store._execute("PRAGMA page_count", ())
        await store._execute(f"PRAGMA max_page_count = {pages[0] + 4}", ())
        large = Batch([Write("notes", 1, None, {"_id": 1, "text": "x" * 1_000_000})])
        with pytest.raises(StoreFull, match="full") as full:
            await store.commit(large)
        assert full.value.passing
        await store._execute("PRAGMA max_page_count = 1000000", ())
        await store.commit(large)
    finally:
        await store.close()
