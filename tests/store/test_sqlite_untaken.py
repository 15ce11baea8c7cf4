"""What the disk has not taken of the embedded store is not lost sight of, by SQLite's own syncs or by who opens it next."""

from __future__ import annotations

import errno
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from helpers.recorded_disk import NOT_SYNCED, Created, Event, NamesSynced, RecordedDisk, Synced, Written, recorded
from synovia.store import disk_names
from synovia.store.base import Batch, StoreUnavailable, StoreUnusable, Write
from synovia.store.sqlite import SQLiteStore, connection, disk_file
from synovia.testing.stores.opening import TABLES
from synovia_protocol.arrays import chunk_digest

LOG = "data.db-wal"
CHUNK = b"chunk"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[RecordedDisk]:
    with recorded(tmp_path) as disk:
        yield disk


@pytest.fixture
async def store(disk: RecordedDisk) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(str(disk.folder / "data.db"))
    await store.open(TABLES)
    yield store
    await store.close()


def refuse_syncs(event: Event) -> int:
    return NOT_SYNCED if isinstance(event, Synced) else 0


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def note(number: int) -> Batch:
    return Batch([Write("notes", number, None, {"_id": number})])


async def test_nothing_is_committed_behind_what_sqlite_itself_has_waited_for_in_vain(
    store: SQLiteStore, disk: RecordedDisk
) -> None:
    """The log would have a hole, and what comes behind it would be lost, though the disk has taken that."""
    await store.arrays.put_chunk(chunk_digest(CHUNK), CHUNK)
    disk.refuse = refuse_syncs
    with pytest.raises(StoreUnavailable, match="nobody can tell"):
        await store.arrays.delete_chunks([chunk_digest(CHUNK)], float("inf"))
    disk.refuse = lambda event: 0
    for work in (store.commit(note(1)), store.arrays.put_chunk(chunk_digest(b"other"), b"other"), store.ping()):
        with pytest.raises(StoreUnusable, match="start the server again"):
            await work


async def test_a_log_that_the_disk_has_not_taken_is_neither_copied_nor_deleted_when_the_store_is_closed(
    store: SQLiteStore, disk: RecordedDisk
) -> None:
    await store.commit(note(1))
    disk.refuse = refuse_syncs
    with pytest.raises(StoreUnavailable, match="nobody can tell"):
        await store.commit(note(2))
    disk.refuse = lambda event: 0
    before = files(disk.folder)
    await store.close()
    assert files(disk.folder) == before
    with pytest.raises(StoreUnusable, match=r"given up by this process.*start the server again"):
        await store.open(TABLES)
    assert files(disk.folder) == before


async def test_what_is_found_in_the_log_is_handed_to_the_disk_anew_before_anybody_hears_of_it(
    store: SQLiteStore, disk: RecordedDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.commit(note(1))
    left = shutil.copytree(disk.folder, tmp_path / "left")  # as by a process that was killed
    size = (left / LOG).stat().st_size
    monkeypatch.setattr(disk_file, "_PART", size // 3)
    with recorded(left) as later:
        opened = SQLiteStore(str(left / "data.db"))
        await opened.open(TABLES)
        first = [event for event in later.events if not isinstance(event, Synced)][:4]
        assert [(event.name, event.offset) for event in first if isinstance(event, Written)] == [
            (LOG, offset) for offset in range(0, size, size // 3)
        ]
        assert later.events[len(first) :][:2] == [Synced(LOG), NamesSynced()]
        assert (await opened.newest())[1] == 1
        await opened.close()


async def test_a_log_that_the_disk_does_not_take_anew_keeps_the_store_closed(
    store: SQLiteStore, disk: RecordedDisk, tmp_path: Path
) -> None:
    await store.commit(note(1))
    left = shutil.copytree(disk.folder, tmp_path / "left")
    before = files(left)
    with recorded(left) as later:
        later.refuse = refuse_syncs
        opened = SQLiteStore(str(left / "data.db"))
        with pytest.raises(StoreUnavailable, match="nobody can tell"):
            await opened.open(TABLES)
        await opened.close()
    assert files(left) == before


async def test_the_disk_has_the_folders_that_are_made_before_there_is_anything_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the whole file could be gone, although commits were acknowledged."""
    synced: list[Path] = []

    def sync_names(folder: Path) -> None:
        synced.append(folder)
        disk_names.sync_names(folder)

    monkeypatch.setattr(connection, "sync_names", sync_names)
    with recorded(tmp_path / "made" / "data") as disk:
        store = SQLiteStore(str(disk.folder / "data.db"))
        await store.open(TABLES)
        assert synced == [tmp_path / "made", tmp_path, *tmp_path.parents]
        assert disk.events[:2] == [NamesSynced(above=True), Created("data.db")]
        assert disk.events.index(Created(LOG)) < disk.events.index(NamesSynced())
        await store.close()
        await store.open(TABLES)
        assert len(synced) == len({*synced})
        await store.close()


@pytest.mark.parametrize("above", [True, False])
async def test_a_store_stays_closed_while_the_disk_does_not_take_its_names(above: bool, tmp_path: Path) -> None:
    with recorded(tmp_path / "data") as disk:
        disk.refuse = lambda event: NOT_SYNCED if event == NamesSynced(above) else 0
        store = SQLiteStore(str(disk.folder / "data.db"))
        with pytest.raises(StoreUnavailable, match="Input/output error"):
            await store.open(TABLES)


async def test_a_folder_that_can_never_be_synced_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(disk_names, "_sync_folder", refuse)
    store = SQLiteStore(str(tmp_path / "data" / "data.db"))
    await store.open(TABLES)
    await store.commit(note(1))
    await store.close()


async def test_a_database_behind_a_link_has_its_log_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "data.db").symlink_to(tmp_path / "large" / "data.db")
    store = SQLiteStore(str(tmp_path / "data.db"))
    await store.open(TABLES)
    await store.commit(note(1))
    assert (tmp_path / "large" / LOG).exists()
    await store.close()
