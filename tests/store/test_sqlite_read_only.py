"""Files of the embedded store that become read-only while it has them open, and that are when it opens them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from synovia.store.base import Batch, StoreReadOnly, StoreUnavailable
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores.opening import TABLES
from synovia.testing.stores.steps import everything, inserted


@contextmanager
def read_only(*files: Path) -> Iterator[None]:
    """Have the system refuse every write into files, also to those who have them open.

    A file system that takes no more after an error refuses the same, but could not be mended under an open file.
    """
    descriptors = [os.open(each, os.O_WRONLY | os.O_APPEND) for each in files]
    try:
        if subprocess.run(["chattr", "+i", *files], check=False, capture_output=True).returncode:
            pytest.skip("only root may make a file immutable, and not on every file system")
        if not all(map(_is_refused, descriptors)):
            pytest.skip("this file system takes writes of those who have an immutable file open")
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=False, capture_output=True)
        for descriptor in descriptors:
            os.close(descriptor)


def _is_refused(descriptor: int) -> bool:
    try:
        os.write(descriptor, b"")
    except PermissionError:
        return True
    return False


async def test_files_that_become_read_only_are_read_and_take_more_when_they_are_writable_again(tmp_path: Path) -> None:
    file = tmp_path / "data.db"
    store = SQLiteStore(str(file))
    await store.open(TABLES)
    await store.commit(Batch(inserted("notes", {"_id": 1})))
    with read_only(file.with_name("data.db-wal")):
        for _ in range(2):
            with pytest.raises(StoreReadOnly, match=r"data\.db cannot be written: Operation not permitted"):
                await store.commit(Batch(inserted("notes", {"_id": 2})))
        ts, fence = await store.newest()
        assert (fence, await everything(store, ts, "notes")) == (1, [{"_id": 1}])
    ts = await store.commit(Batch(inserted("notes", {"_id": 3})))
    assert await everything(store, ts, "notes") == [{"_id": 1}, {"_id": 3}]
    await store.close()


async def test_read_only_files_are_not_opened_and_it_is_told_why(tmp_path: Path) -> None:
    file = tmp_path / "data.db"
    store = SQLiteStore(str(file))
    await store.open(TABLES)
    await store.close()
    with read_only(file), pytest.raises(StoreUnavailable, match=r"data\.db cannot be opened as a database.*read-only"):
        await store.open(TABLES)
    await store.open(TABLES)
    await store.close()


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Have the system refuse every new file in a folder."""
    if subprocess.run(["chattr", "+i", folder], check=False, capture_output=True).returncode:
        pytest.skip("only root may make a folder immutable, and not on every file system")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", folder], check=True, capture_output=True)


async def test_a_folder_in_which_no_file_can_be_made_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    why = r"closed/data\.db cannot be opened: .*\(/\S*/closed is read-only for"
    with closed(folder), pytest.raises(StoreUnavailable, match=why):
        await SQLiteStore(str(folder / "data.db")).open(TABLES)
