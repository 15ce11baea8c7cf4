"""``synovia sweep``: the unused arrays of a database, from the command line."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from cli.command_line import synovia
from synovia.schema import to_bson
from synovia.schema.specs import TableSpec
from synovia.store import arrays
from synovia.store.base import Batch, Write
from synovia.store.sqlite import SQLiteStore
from synovia_protocol.messages import ArrayRef

WEEK = 7 * 86_400.0


async def fill(path: Path, clock: float) -> tuple[ArrayRef, ArrayRef]:
    """Make a database with an array that a document refers to and one that none does, stored at a time."""
    store = SQLiteStore(str(path), clock=lambda: clock)
    await store.open([TableSpec("notes")])
    used, unused = [await arrays.write_array(store.arrays, np.full(10, float(n))) for n in (1, 2)]
    document = {"_id": 1, "curve": to_bson(used)}
    await store.commit(Batch([Write("notes", 1, None, document)]))
    await store.close()
    return used, unused


async def there(path: Path, *refs: ArrayRef) -> list[bool]:
    store = SQLiteStore(str(path))
    await store.open([])
    found = [await store.arrays.get_manifest(ref.digest) is not None for ref in refs]
    await store.close()
    return found


async def test_what_was_not_used_for_a_day_goes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    refs = await fill(path, time.time() - WEEK)
    done = synovia("sweep", "--store", f"sqlite:///{path}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1 arrays, 1 chunks deleted: 80 bytes"
    assert await there(path, *refs) == [True, False]


@pytest.mark.parametrize(("grace", "left"), [("1209600", True), ("90000", False)])
async def test_the_grace_can_be_chosen(tmp_path: Path, grace: str, left: bool) -> None:
    path = tmp_path / "store.db"
    _, unused = await fill(path, time.time() - WEEK)
    done = synovia("sweep", SYNOVIA_STORE=f"sqlite:///{path}", SYNOVIA_ARRAYS_GRACE=grace)
    assert done.returncode == 0, done.stderr
    assert await there(path, unused) == [left]


async def test_what_cannot_be_swept(tmp_path: Path) -> None:
    missing = synovia("sweep", "--store", f"sqlite:///{tmp_path}/other.db")
    assert (missing.returncode, "there is no file" in missing.stderr) == (4, True)
    assert not (tmp_path / "other.db").exists()
    assert synovia("sweep").returncode == 2
    assert synovia("sweep", "--store", "sqlite://:memory:", "--grace", "5").returncode == 2
    assert synovia("sweep", SYNOVIA_STORE="sqlite://:memory:", SYNOVIA_ARRAYS_GRACE="soon").returncode == 2


async def test_a_file_of_the_format_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    refs = await fill(path, time.time())
    with sqlite3.connect(path) as database:  # as the version before this one left it: without marks of use
        database.execute("DROP TABLE uses")
        database.execute("PRAGMA user_version = 1")
    database.close()
    done = synovia("sweep", "--store", f"sqlite:///{path}")
    assert done.stdout.strip() == "1 arrays, 1 chunks deleted: 80 bytes", done.stderr
    assert await there(path, *refs) == [True, False]
