"""A SQLite file that is deleted, replaced, cut or damaged under a hub: nothing is acknowledged that is not on the disk."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.health import health_of
from helpers.sync_server import client_of, serving
from synovia.keys import BY_ID
from synovia.store.base import Batch, StoreUnusable
from synovia.store.sqlite import SQLiteStore, file_check
from synovia.testing.stores.opening import TABLES
from synovia.testing.stores.steps import EVERYTHING, inserted

OUT_OF_ORDER = "the database is out of order until whoever runs this server mends it"


def _delete(file: Path) -> None:
    file.unlink()


def _delete_wal(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


def _move(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))


def _replace(file: Path) -> None:
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)


def _remove_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


def _cut(file: Path) -> None:
    with open(file, "r+b") as opened:
        opened.truncate(4096)


def _cut_log(file: Path) -> None:
    """As if somebody had thought that it may be emptied."""
    with open(f"{file}-wal", "r+b") as opened:
        opened.truncate(1000)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_delete, "was deleted or moved"),
        (_delete_wal, "was deleted or moved"),
        (_move, "was deleted or moved"),
        (_remove_folder, "was deleted or moved"),
        (_replace, "was replaced"),
        (_cut, "was cut short"),
        (_cut_log, "was cut short"),
    ],
)
async def test_a_file_that_is_not_the_one_that_was_opened_takes_no_more(
    harm: Callable[[Path], None],
    said: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        file_check, "_JUST_NOW_SECONDS", -1.0
    )  # what is cut just after a look is longer again at the next
    file = tmp_path / "here" / "data.db"
    file.parent.mkdir()
    await _made(file)
    async with serving(store=f"sqlite:///{file}") as running, client_of(running) as client:
        await client.subscribe(1, "notes:on_board", {"board": "a"})
        assert (await client.mutate("notes:post", {"board": "a", "text": "kept"})).error is None
        harm(file)
        with caplog.at_level(logging.WARNING, "synovia"):
            response = await client.mutate("notes:post", {"board": "a", "text": "lost"})
        assert response.error is not None, "nothing is acknowledged that is nowhere"
        assert (response.error.code, response.error.message) == ("server_error", OUT_OF_ORDER)
        assert said in caplog.text
        status, report = await health_of(running.port)
        assert (status, report["status"]) == (503, "failing")
        assert said in report["store"]
        assert {fault["part"]: fault["permanent"] for fault in report["faults"]}["store"] is True
        failed = await client.subscribe(2, "notes:on_board", {"board": "b"})
        assert failed.message == OUT_OF_ORDER


async def _made(file: Path) -> None:
    """Make a database of some pages: in a new one they are all in the log beside the file."""
    store = SQLiteStore(str(file))
    await store.open(TABLES)
    await store.close()


async def test_what_was_committed_into_a_deleted_file_is_refused_also_if_it_goes_amid_the_commit(
    tmp_path: Path,
) -> None:
    file = tmp_path / "data.db"
    store = SQLiteStore(str(file))
    await store.open(TABLES)
    assert store._database is not None
    writer = store._database.writer

    class Deleting:
        """A writer whose file goes while it commits."""

        def commit(self, batch: Batch, now: float) -> object:
            done = writer.commit(batch, now)
            file.unlink()
            return done

    store._database.writer = Deleting()  # type: ignore[assignment]
    head = store._head
    with pytest.raises(StoreUnusable, match="was deleted or moved"):
        await store.commit(Batch(inserted("notes", {"_id": 1})))
    assert store._head == head, "nobody has heard of it"
    with pytest.raises(StoreUnusable):
        await store.ping()
    await store.close()


async def test_damage_is_told_from_a_database_that_is_busy_and_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "data.db"
    store = SQLiteStore(str(file))
    await store.open(TABLES)
    await store.commit(Batch(inserted("notes", *({"_id": number, "text": "x" * 5000} for number in range(200)))))
    await store.close()
    _overwrite_documents(file)
    await store.open(TABLES)
    await store.ping()
    with pytest.raises(StoreUnusable, match=r"is damaged .*put a backup"):
        await store.snapshot((await store.newest())[0]).scan("notes", BY_ID, EVERYTHING)
    with pytest.raises(StoreUnusable, match="is damaged"):
        await store.ping()
    await store.close()


def _overwrite_documents(file: Path) -> None:
    with sqlite3.connect(file) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
        [root] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'docs'").fetchone()
    database.close()
    with open(file, "r+b") as opened:
        opened.seek((root - 1) * size)
        opened.write(b"\xff" * size)
