"""Rounds in each of which one commit replaces every account: what a process that was killed has left is a whole one."""

from __future__ import annotations

from pathlib import Path

from synovia import keys
from synovia.schema.specs import Document, TableSpec
from synovia.store.base import Batch, RequestRecord, Store, Write
from synovia.store.sqlite import SQLiteStore
from synovia.testing.stores.opening import BY_RANK, BY_TAG
from synovia.testing.stores.steps import EVERYTHING, commits_after, everything

SESSION = b"k" * 16
ACCOUNTS = 20
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
