"""The embedded store: one file or memory, no server, one process."""

from synovia.store.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
