"""A process that is killed in the middle of commits: what was acknowledged is there, the rest whole or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from helpers.forked_commands import SECONDS, PipedCommand
from synovia import keys
from synovia.schema.specs import Document, TableSpec
from synovia.store.base import Batch, RequestRecord, Store, Write
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores.opening import BY_RANK, BY_TAG
from synovia.testing.stores.steps import EVERYTHING, commits_after, everything

SESSION = b"k" * 16
ACCOUNTS = 20
AT_THE_END = 1_000
"""Stands for the statement that ends the transaction."""
MUCH_LATER = 10_000
TABLE = TableSpec("accounts", (BY_RANK, BY_TAG))


def account(number: int, round_: int) -> Document:
    return {"_id": number, "rank": round_, "tags": [f"round {round_}", number], "text": "x" * 500}


def batch_of(round_: int) -> Batch:
    """Replace every account, and record the round as a request."""
    writes = []
    for number in range(ACCOUNTS):
        before = account(number, round_ - 1) if round_ > 1 else None
        writes.append(Write("accounts", number, before, account(number, round_)))
    return Batch(writes, [RequestRecord(SESSION, round_, str(round_).encode())], fence=round_ - 1)


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
    assert child.wait(SECONDS) == -signal.SIGKILL
    return last


async def check(store: Store, acknowledged: int) -> int:
    """Check that the file holds one whole round, no older than the last acknowledged; tell which."""
    ts, fence = await store.newest()
    assert acknowledged <= fence <= acknowledged + 1
    expected = [account(number, fence) for number in range(ACCOUNTS)] if fence else []
    assert await everything(store, ts, "accounts") == expected
    snapshot = store.snapshot(ts)
    assert await snapshot.scan("accounts", BY_RANK, EVERYTHING) == expected
    assert await snapshot.count("accounts", BY_TAG, keys.prefix([f"round {fence}"])) == len(expected)
    assert await snapshot.count("accounts", BY_TAG, keys.prefix([f"round {fence - 1}"])) == 0
    for round_ in (fence - 1, fence, fence + 1):
        record = await store.find_request(SESSION, round_)
        assert (record is not None) == (0 < round_ <= fence)
    return fence


async def reopened(path: Path, acknowledged: int, start: int) -> int:
    store = SQLiteStore(str(path))
    await store.open([TABLE])
    try:
        fence = await check(store, acknowledged)
        told = await commits_after(store, start, fence)
        assert [each.fence for each in told] == list(range(1, fence + 1))
        assert all(len(each.writes) == ACCOUNTS for each in told)
    finally:
        await store.close()
    return fence


async def new_file(path: Path) -> int:
    store = SQLiteStore(str(path))
    await store.open([TABLE])
    ts, _ = await store.newest()
    await store.close()
    return ts


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
