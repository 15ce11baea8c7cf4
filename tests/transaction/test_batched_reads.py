"""Reads of one turn of the loop are one question, and everybody gets what they asked for."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from synovia.schema.specs import TableSpec
from synovia.store.base import Batch, Store, Write
from synovia.store.sqlite import SQLiteStore
from synovia.transaction.batching import BatchedReads


class Counting:
    """A snapshot that counts its questions, and fails if told to."""

    def __init__(self, snapshot: Any, asked: list[list[Any]], error: Exception | None) -> None:
        self._snapshot, self._asked, self._error = snapshot, asked, error
        self.ts = snapshot.ts

    async def get(self, table: str, ids: Any) -> Any:
        self._asked.append(list(ids))
        if self._error is not None:
            raise self._error
        return await self._snapshot.get(table, ids)


async def open_store() -> tuple[SQLiteStore, int]:
    store = SQLiteStore()
    await store.open([TableSpec("t")])
    writes = [Write("t", number, None, {"_id": number, "n": number * 10}) for number in range(5)]
    return store, await store.commit(Batch(writes))


@pytest.mark.parametrize("error", [None, ValueError("no")])
async def test_one_question_for_all(error: Exception | None) -> None:
    store, ts = await open_store()
    asked: list[list[Any]] = []

    class Watched:
        def snapshot(self, ts: int) -> Any:
            return Counting(store.snapshot(ts), asked, error)

    reads = BatchedReads(cast(Store, Watched()))
    calls = [reads.snapshot(ts).get("t", ids) for ids in ([1, 2], [2, 9], [4], [])]
    cancelled = asyncio.ensure_future(reads.snapshot(ts).get("t", [0]))
    gathered = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    cancelled.cancel()
    results = await gathered
    assert len(asked) == 1
    assert sorted(asked[0]) == [0, 1, 2, 4, 9]
    if error is not None:
        assert results == [error, error, error, []]  # who asks for nothing asks nobody
    else:
        shown = [[row and row["n"] for row in rows] for rows in cast(list[list[Any]], results)]
        assert shown == [[10, 20], [20, None], [40], []]
    await store.close()
