"""A process that is killed in the middle of commits: what was acknowledged is there, the rest whole or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from helpers.committed_rounds import TABLE, batch_of, new_file, reopened
from helpers.forked_commands import PipedCommand
from helpers.patience import PATIENCE
from synovia.store.sqlite import SQLiteStore

AT_THE_END = 1_000
"""Stands for the statement that ends the transaction."""
MUCH_LATER = 10_000


async def commit_for_ever(path: str, fatal_round: int, fatal_statement: int) -> None:
    """Commit round after round and print its number; die before the given statement of the given round."""
    store = SQLiteStore(path)
    await store.open([TABLE])
    _, round_ = await store.newest()
    while True:
        round_ += 1
        if round_ == fatal_round:
            await store._run(lambda database: die_before(database.connection, fatal_statement))
        await store.commit(batch_of(round_))
        print(round_, flush=True)


def die_before(connection: object, statement: int) -> None:
    left = statement

    def count(text: str) -> None:
        nonlocal left
        left -= 1
        if left == -1 or (statement == AT_THE_END and text == "COMMIT"):
            os.kill(os.getpid(), signal.SIGKILL)

    connection.set_trace_callback(count)  # type: ignore[attr-defined]


def run_child(path: Path, fatal_round: int, fatal_statement: int, acknowledgements: int) -> int:
    """Run a committing process until it kills itself, or kill it after so many commits; tell the last acknowledged."""
    child = PipedCommand("store.test_sqlite_killed", [str(path), str(fatal_round), str(fatal_statement)], os.environ)
    last = 0
    with child.stdout:
        for line in child.stdout:
            last = int(line)
            acknowledgements -= 1
            if acknowledgements == 0:
                child.kill()
    assert child.wait(PATIENCE) == -signal.SIGKILL
    return last


@pytest.mark.parametrize("statement", [0, 1, 2, 5, 40, 150, AT_THE_END, MUCH_LATER])
@pytest.mark.slow
async def test_killed_inside_a_commit(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "store.db"
    start = await new_file(path)
    acknowledged = await asyncio.to_thread(run_child, path, 3, statement, 0)
    assert acknowledged >= 2
    fence = await reopened(path, acknowledged, start)
    if statement != MUCH_LATER:
        assert fence == 2  # the fatal round has left nothing


async def test_killed_again_and_again_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    start = await new_file(path)
    for acknowledgements in (1, 3, 7, 2):
        acknowledged = await asyncio.to_thread(run_child, path, -1, 0, acknowledgements)
        assert await reopened(path, acknowledged, start) >= acknowledgements


if __name__ == "__main__":
    asyncio.run(commit_for_ever(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
