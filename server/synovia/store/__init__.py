"""Stores: the contract (``base``), the databases that keep it, and arrays on top of any of them."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synovia.store.base import (
    REQUEST_TTL,
    ArrayManifest,
    ArrayMissing,
    ArrayStore,
    Batch,
    Commit,
    Conflict,
    DuplicateRequest,
    Gap,
    NothingWritten,
    PreparedWrites,
    PreparingStore,
    RequestRecord,
    Snapshot,
    SnapshotTooOld,
    Store,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
    StoreUnusable,
    Ts,
    UniqueViolation,
    Write,
)

if TYPE_CHECKING:
    from synovia.store.mongo import MongoStore
    from synovia.store.sqlite import SQLiteStore

__all__ = [
    "ArrayManifest",
    "ArrayMissing",
    "ArrayStore",
    "Batch",
    "Commit",
    "Conflict",
    "DuplicateRequest",
    "Gap",
    "NothingWritten",
    "PreparedWrites",
    "PreparingStore",
    "RequestRecord",
    "Snapshot",
    "SnapshotTooOld",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
    "StoreUnusable",
    "Ts",
    "UniqueViolation",
    "Write",
    "open_store",
]

_SQLITE = "sqlite://"
OBJECTS_VARIABLE: Final = "SYNOVIA_FILES_STORE"


def open_store(url: str, *, request_ttl: int = REQUEST_TTL, objects: str | None = None) -> Store:
    """Give the store that a URL names; it is not open yet.

    Args:
        url: ``mongodb://HOST/DATABASE?replicaSet=...`` (or ``mongodb+srv://``; the database is ``synovia`` by default),
            ``sqlite:///FILE`` (a fourth slash makes the file absolute) or ``sqlite://:memory:``.
        request_ttl: How many seconds the record of a mutation is kept, so that a retry does not run twice.
        objects: Where the bytes of files and arrays are kept instead of in the database, as ``s3://BUCKET/PREFIX``; by
            default what the variable ``SYNOVIA_FILES_STORE`` says.

    Raises:
        StoreUnavailable: It names none, or what it names cannot be used.
    """
    store = _database(url, request_ttl)
    where = objects or os.environ.get(OBJECTS_VARIABLE)
    if where:
        from synovia.store.s3 import S3Objects

        store.arrays.keep_in(S3Objects(where))
    return store


def _database(url: str, request_ttl: int) -> SQLiteStore | MongoStore:
    if url.startswith(_SQLITE):
        return _sqlite(url.removeprefix(_SQLITE), request_ttl)
    if url.startswith(("mongodb://", "mongodb+srv://")):
        return _mongo(url, request_ttl)
    raise StoreUnavailable(f"{_without_secrets(url)} names no store: mongodb://..., sqlite:///FILE, sqlite://:memory:")


def _sqlite(rest: str, request_ttl: int) -> SQLiteStore:
    from synovia.store.sqlite import SQLiteStore
    from synovia.store.sqlite.history import Retention

    retention = Retention(requests=request_ttl)
    if rest == ":memory:":
        return SQLiteStore(retention=retention)
    if not rest.startswith("/") or rest == "/":
        raise StoreUnavailable("a SQLite store is sqlite:///FILE or sqlite://:memory:")
    return SQLiteStore(rest[1:], retention=retention)


def _mongo(url: str, request_ttl: int) -> MongoStore:
    from synovia.store.mongo import MongoStore

    return MongoStore(url, request_ttl=timedelta(seconds=request_ttl))


def _without_secrets(url: str) -> str:
    return url.split("://", 1)[0] + "://..." if "://" in url else url
