"""What SQLite's errors mean to the store: who is to blame, and whether trying again can help."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from synovia.store.base import StoreError, StoreFull, StoreReadOnly, StoreUnavailable, StoreUnusable

_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""Somebody else has the file, or its disk is full or away: what was asked was right, and may succeed later."""


_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


_NOT_WRITTEN: Final = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_READONLY})
"""SQLite could not write all that it had to: of what it was about to commit nothing counts."""


def is_passing(error: sqlite3.Error) -> bool:
    """Tell whether the same may succeed when it is tried again."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # the module's own: a connection that was closed
        return "closed" in str(error)
    return (code & 0xFF) in _PASSING


def is_of_sync(error: sqlite3.Error) -> bool:
    """Tell whether SQLite has waited for the disk in vain: nobody can tell what it has, however often it is asked."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_FSYNC


def translated(path: str, error: sqlite3.Error) -> StoreError:
    """Give the store's error for one of the driver's."""
    code = getattr(error, "sqlite_errorcode", 0)
    if (code & 0xFF) in _DAMAGED:
        return StoreUnusable(f"{path} is damaged ({error}): put a backup in its place")
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return StoreUnusable(f"{path} was moved while the server had it open: put it back, and start the server again")
    if (code & 0xFF) == sqlite3.SQLITE_FULL:
        return StoreFull(f"{path}: {error}")
    if code in _NOT_WRITTEN and (why := why_not_written(path)) is not None:
        return StoreReadOnly(f"{path} cannot be written: {why}")
    if is_passing(error):
        return StoreUnavailable(f"{path}: {error}")
    return StoreError(f"SQLite refused the operation on {path}: {error}")


def why_not_written(path: str) -> str | None:
    """Tell why the system lets nobody write the files of a database, which SQLite does not say; None if it lets one.

    The database itself is not opened for that: its locks would be gone when it is closed.
    """
    try:
        os.close(os.open(f"{path}-wal", os.O_WRONLY))
    except FileNotFoundError:
        places = [each for each in (Path(path), Path(path).parent) if each.exists()]
        refused = next((each for each in places if not os.access(each, os.W_OK)), None)
        return None if refused is None else f"{refused} is read-only for this server"
    except OSError as error:
        return error.strerror
    return None
