"""Stores whose log is short, so that it is soon copied into the file, and what waits for their disk."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from synovia.schema.specs import TableSpec
from synovia.store.base import Batch
from synovia.store.sqlite import SQLiteStore, disk_file, write_ahead_log
from synovia.store.sqlite.database import Database
from synovia.testing.stores.steps import everything, inserted

NOTES = [TableSpec("notes")]
PAGE = 4096
SOME, MANY = 20, 60
SALTS = slice(16, 24)
"""Where the log says whether it was begun anew."""
REFUSED = OSError(5, "Input/output error")


async def opened(syncs: Syncs, tables: Sequence[TableSpec]) -> SQLiteStore:
    """Open a store whose log is short from now on, and has just been begun anew."""
    syncs.patch.setattr(write_ahead_log, "_SOME", SOME)
    syncs.patch.setattr(write_ahead_log, "_MANY", MANY)
    store = SQLiteStore(str(syncs.file))
    await store.open(tables)
    await store._run(_checkpoint)
    syncs.of_file.clear()
    return store


def _checkpoint(database: Database) -> None:
    assert database._log is not None
    database._log.checkpoint()


class Syncs:
    """Waits for the disk to have a database; something may be done ahead of that, for its file and for its log."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch
        self.file, self.log = path, path.with_name(f"{path.name}-wal")
        self.of_file = threading.Event()
        self.ahead: Callable[[], None] = lambda: None
        self.ahead_of_log: Callable[[], None] = lambda: None
        self._sync = disk_file._sync
        monkeypatch.setattr(disk_file, "_sync", self.sync)

    def sync(self, descriptor: int) -> None:
        synced = os.fstat(descriptor)
        if is_file := os.path.samestat(synced, self.file.stat()):
            self.ahead()
        elif os.path.samestat(synced, self.log.stat()):
            self.ahead_of_log()
        self._sync(descriptor)
        if is_file:
            self.of_file.set()

    def salts(self) -> bytes:
        return self.log.read_bytes()[SALTS]

    async def checkpoint(self) -> None:
        """Wait until the disk has the file."""
        assert await asyncio.to_thread(self.of_file.wait, 30)


def text_of(pages: int) -> str:
    return "x" * (pages * PAGE)


async def write_pages(store: SQLiteStore, number: int, pages: int) -> None:
    await store.commit(Batch(inserted("notes", {"_id": number, "text": text_of(pages)})))


async def texts_in(path: Path) -> dict[int, int]:
    """Give the pages of each note of a database that is opened anew."""
    store = SQLiteStore(str(path))
    await store.open(NOTES)
    try:
        found = await everything(store, (await store.newest())[0], "notes")
    finally:
        await store.close()
    return {each["_id"]: len(each["text"]) // PAGE for each in found}
