"""What the contract's tests do again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from synovia import keys
from synovia.keys import BY_ID
from synovia.schema.specs import Document
from synovia.store.base import Batch, Commit, Gap, RequestRecord, Store, Ts, Write

EVERYTHING = keys.prefix([])
PATIENCE = 30.0


def inserted(table: str, *documents: Document) -> list[Write]:
    return [Write(table, document["_id"], None, document) for document in documents]


def replaced(table: str, before: Document, **fields: Any) -> Write:
    return Write(table, before["_id"], before, {**before, **fields})


def deleted(table: str, before: Document) -> Write:
    return Write(table, before["_id"], before, None)


async def commit(store: Store, *writes: Write, requests: Sequence[RequestRecord] = ()) -> Ts:
    return await store.commit(Batch(writes, requests))


async def insert(store: Store, table: str, *documents: Document) -> Ts:
    return await commit(store, *inserted(table, *documents))


async def everything(store: Store, ts: Ts, table: str) -> list[Document]:
    return await store.snapshot(ts).scan(table, BY_ID, EVERYTHING)


def ids(documents: Sequence[Document]) -> list[Any]:
    return [document["_id"] for document in documents]


@asynccontextmanager
async def following(store: Store, after: Ts) -> AsyncIterator[AsyncIterator[Commit | Gap]]:
    """Follow the changes, and close the iterator at the end; nothing in between may take for ever."""
    changes = store.changes(after)
    try:
        async with asyncio.timeout(PATIENCE):
            yield changes
    finally:
        await changes.aclose()  # type: ignore[attr-defined]  # both stores give generators


async def next_commit(changes: AsyncIterator[Commit | Gap]) -> Commit:
    """Give the next commit that wrote something."""
    async for change in changes:
        if isinstance(change, Gap):
            raise AssertionError(f"unexpected gap: {change.reason}")
        if change.writes:
            return change
    raise AssertionError("the changes have ended")


async def next_commits(changes: AsyncIterator[Commit | Gap], count: int) -> list[Commit]:
    return [await next_commit(changes) for _ in range(count)]


async def commits_after(store: Store, after: Ts, count: int) -> list[Commit]:
    async with following(store, after) as changes:
        return await next_commits(changes, count)
