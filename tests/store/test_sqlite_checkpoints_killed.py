"""A process that ends amid a checkpoint, or after one that has failed, loses nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from helpers.committed_rounds import TABLE, batch_of, new_file, reopened
from helpers.forked_commands import PipedCommand, run
from helpers.patience import PATIENCE
from store.short_logs import NOTES, REFUSED, SOME, Syncs, opened, texts_in, write_pages
from synovia.store.sqlite import connection

STEPS = {
    "before the log is copied": "PRAGMA synchronous = OFF",
    "amid copying": "PRAGMA main.wal_checkpoint(PASSIVE)",
    "when it is copied": "PRAGMA synchronous = NORMAL",
    "before the disk has the file": "",
    "when the disk has the file": f"PRAGMA user_version = {connection.FORMAT}",
    "before the log is begun anew": "COMMIT",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_is_killed_amid_a_checkpoint_loses_nothing(path: Path, step: str) -> None:
    start = await new_file(path)
    child = PipedCommand("store.test_sqlite_checkpoints_killed", [str(path), "killed", step], os.environ)
    with child.stdout:
        acknowledged = [int(line) for line in child.stdout]
    assert child.wait(PATIENCE) == -signal.SIGKILL
    assert await reopened(path, acknowledged[-1], start) >= 3


async def test_the_log_is_kept_also_when_the_process_ends(path: Path) -> None:
    old, log = path.with_name("old.db"), path.with_name(f"{path.name}-wal")
    ended = run([str(path), "refused", str(old)], os.environ, "store.test_sqlite_checkpoints_killed", in_full=True)
    assert ended.returncode == 0, ended.stderr
    old.replace(path)  # nothing of what was copied has come to the disk
    assert log.exists()
    assert await texts_in(path) == {1: SOME}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def commit_until_killed(path: str, step: str, patch: pytest.MonkeyPatch) -> None:
    """Commit round after round and print its number; die at a step of a checkpoint after the third."""
    syncs = Syncs(Path(path), patch)
    store = await opened(syncs, [TABLE])
    _, round_ = await store.newest()
    seen = list[str]()

    def trace(statement: str) -> None:
        seen.append(statement)
        is_within = "PRAGMA main.wal_checkpoint(PASSIVE)" in seen[-8:] or STEPS[step] in seen[:-1]
        if statement == STEPS[step] and (is_within or step in ("before the log is copied", "amid copying")):
            die()

    while True:
        round_ += 1
        await store.commit(batch_of(round_))
        print(round_, flush=True)
        if round_ == 3:
            await store.ping()
            syncs.ahead = die if not STEPS[step] else lambda: None
            await store._run(lambda database: database.connection.set_trace_callback(trace))


async def fail(path: str, copy: str, patch: pytest.MonkeyPatch) -> None:
    """Have a checkpoint fail, and end as every process does."""
    syncs = Syncs(Path(path), patch)
    store = await opened(syncs, NOTES)
    shutil.copy(path, copy)
    asked = threading.Event()

    def refuse() -> None:
        asked.set()
        raise REFUSED

    syncs.ahead = refuse
    await write_pages(store, 1, SOME)
    assert await asyncio.to_thread(asked.wait, 30)
    await store.close()


if __name__ == "__main__":
    _, database, kind, argument = sys.argv
    with pytest.MonkeyPatch.context() as patched:
        asyncio.run((commit_until_killed if kind == "killed" else fail)(database, argument, patched))
