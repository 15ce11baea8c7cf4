"""The SQLite file: opened for this process alone, its tables created, its transactions whole."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from synovia.store.base import StoreUnavailable, StoreUnusable
from synovia.store.disk_names import sync_names
from synovia.store.sqlite.errors import is_passing, why_not_written

logger = logging.getLogger("synovia")

MEMORY: Final = ":memory:"
FORMAT: Final = 3
OLDEST_SQLITE: Final = (3, 15, 0)
"""The first that compares rows of several columns, ``(until, idx, key) IN (...)``: without it no past could be pruned."""
CACHE_KIB: Final = 64 * 1024

# The newest version of every document and index entry stands apart from the past ones, so that reading the newest
# never steps over the dead. A row of the past was valid for `since <= ts < until`. Keys are those of `synovia.keys`; the
# key of an index entry ends with its document's id, and documents are BSON.
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE tables (tbl INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE indexes (
    idx INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, uniq INTEGER NOT NULL,
    defaults TEXT NOT NULL);

CREATE TABLE docs (
    row INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, id BLOB NOT NULL, since INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX docs_by_id ON docs (tbl, id);
CREATE TABLE past_docs (
    row INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, id BLOB NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE UNIQUE INDEX past_docs_by_id ON past_docs (tbl, id, since);
CREATE INDEX past_docs_by_until ON past_docs (until, tbl);

CREATE TABLE entries (
    idx INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (idx, key)) WITHOUT ROWID;
CREATE TABLE past_entries (
    until INTEGER NOT NULL, idx INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (until, idx, key)) WITHOUT ROWID;

CREATE TABLE commits (ts INTEGER PRIMARY KEY, fence INTEGER NOT NULL, at REAL NOT NULL);
CREATE TABLE log (
    ts INTEGER NOT NULL, seq INTEGER NOT NULL, tbl INTEGER NOT NULL, id BLOB NOT NULL,
    PRIMARY KEY (ts, seq)) WITHOUT ROWID;

CREATE TABLE requests (
    session BLOB NOT NULL, number INTEGER NOT NULL, created REAL NOT NULL, result BLOB NOT NULL,
    PRIMARY KEY (session, number)) WITHOUT ROWID;
CREATE INDEX requests_by_created ON requests (created);

CREATE TABLE chunks (row INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE manifests (
    digest BLOB PRIMARY KEY, dtype TEXT NOT NULL, length INTEGER NOT NULL, chunks BLOB NOT NULL) WITHOUT ROWID;
"""
_USES = """
CREATE TABLE uses (
    kind TEXT NOT NULL, digest BLOB NOT NULL, used REAL NOT NULL, PRIMARY KEY (kind, digest)) WITHOUT ROWID;
"""
_UPGRADES = {
    1: _USES
    + """
INSERT INTO uses SELECT 'chunks', digest, 0 FROM chunks;
INSERT INTO uses SELECT 'manifests', digest, 0 FROM manifests;
""",
    2: """
CREATE TABLE new_indexes (
    idx INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, uniq INTEGER NOT NULL,
    defaults TEXT NOT NULL);
INSERT INTO new_indexes SELECT idx, tbl, name, fields, uniq, '[]' FROM indexes;
DROP TABLE indexes;
ALTER TABLE new_indexes RENAME TO indexes;
""",
}
"""What makes a file of one format one of the next."""


def connect(path: str, lock_timeout: float) -> sqlite3.Connection:
    """Open a database file for this process alone, creating it if need be; one thread at a time uses it.

    Args:
        path: A file, or ``:memory:``.
        lock_timeout: How many seconds to wait for another process to let go of it.

    Raises:
        StoreUnavailable: Another process has it open, it is no database of ours, or SQLite is too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreUnusable(
            f"SQLite {sqlite3.sqlite_version} is too old: use a Python whose module sqlite3 has SQLite {oldest} or later"
        )
    try:
        if path != MEMORY:
            _make_folder(Path(path))
        database = sqlite3.connect(
            path, timeout=lock_timeout, isolation_level=None, cached_statements=256, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        why = "it is a folder" if Path(path).is_dir() else why_not_written(path)
        raise StoreUnavailable(f"{path} cannot be opened: {error}" + ("" if why is None else f" ({why})")) from error
    try:
        if _prepare(database) and path != MEMORY:
            logger.info("%s: there was no database; an empty one was made", path)
    except sqlite3.Error as error:
        database.close()
        raise _refusal(path, error) from error
    except BaseException:
        database.close()
        raise
    return database


def _make_folder(file: Path) -> None:
    """Make the folder of a database, and wait until the disk has it, before anything is written into the file.

    A process that was killed here leaves no file, or an empty one: the next one waits for the same.

    Raises:
        OSError: It cannot be made, or the disk has not taken it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or not file.stat().st_size:
        for above in file.parent.parents:
            sync_names(above)


def _refusal(path: str, error: sqlite3.Error) -> StoreUnavailable:
    if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreUnavailable(f"{path} is in use by another process: stop that one, or choose another file")
    if not is_passing(error):
        return StoreUnusable(f"{path} cannot be opened as a database: {error}")
    why = why_not_written(path)
    return StoreUnavailable(f"{path} cannot be opened as a database: {error}" + ("" if why is None else f" ({why})"))


def _prepare(database: sqlite3.Connection) -> bool:
    """Make the file ready; tell whether it was empty."""
    database.execute("PRAGMA locking_mode = EXCLUSIVE")  # before WAL: the first transaction takes the lock for good
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")  # a commit waits for the disk by itself, while others read
    database.execute("PRAGMA wal_autocheckpoint = 0")  # they are made behind commits: write_ahead_log.py
    database.execute("PRAGMA journal_size_limit = -1")  # a log that gets shorter was cut by others: file_check.py
    database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    with transaction(database):
        (found,) = database.execute("PRAGMA user_version").fetchone()
        if found == 0:
            _create(database)
        elif found != FORMAT:
            _upgrade(database, found)
    return bool(found == 0)


def _create(database: sqlite3.Connection) -> None:
    if database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise StoreUnusable("the file is a SQLite database, but not one of Synovia's")
    _execute(database, _SCHEMA + _USES)


def _upgrade(database: sqlite3.Connection, found: int) -> None:
    if not 0 < found < FORMAT:
        raise StoreUnusable(
            f"the database has format {found}, this version of Synovia reads format {FORMAT}: a newer version has written "
            "it; run that one, or restore a backup of this one"
        )
    for version in range(found, FORMAT):
        _execute(database, _UPGRADES[version])


def _execute(database: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {FORMAT}")


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Write everything that happens inside, or nothing of it; durable at the end."""
    database.execute("PRAGMA synchronous = FULL")
    try:
        with ahead_of_a_commit(database):
            yield
    finally:
        database.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def ahead_of_a_commit(database: sqlite3.Connection) -> Iterator[None]:
    """Write everything that happens inside, or nothing of it; durable at the next ``transaction``, or when the log is.

    All of them are written into one log (``-wal``), one behind the other, and these wait for the disk to have all
    of it: https://www.sqlite.org/pragma.html#pragma_synchronous.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # some failures have rolled back already
            database.execute("ROLLBACK")
        raise


def get_meta(database: sqlite3.Connection, name: str) -> Any:
    """Read one value of the table ``meta``, None if it is not there."""
    row = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return row and row[0]


def set_meta(database: sqlite3.Connection, name: str, value: Any) -> None:
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
