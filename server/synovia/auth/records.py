"""Documents of the server's own, read and changed one at a time, whatever other hubs do meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from synovia import keys
from synovia.keys import IndexSpec, Interval
from synovia.schema import Document
from synovia.store.base import Batch, Conflict, Snapshot, Store, StoreUnavailable, Write

R = TypeVar("R")
_ATTEMPTS = 10
Change = Callable[[Document | None], tuple[Document | None, R]]
"""Gives a document's next state (None: it is not to be there) and what to tell; may be called several times."""


class Records:
    """One table.

    Args:
        store: Must be open.
    """

    def __init__(self, store: Store, table: str) -> None:
        self._store = store
        self._table = table

    async def _now(self) -> Snapshot:
        ts, _ = await self._store.newest()
        return self._store.snapshot(ts)

    async def get(self, id_: str) -> Document | None:
        """Read one as of now."""
        return (await (await self._now()).get(self._table, [id_]))[0]

    async def change(self, id_: str, change: Change[R]) -> R:
        """Read, change and write one, again if somebody else was faster; nothing is written if nothing changes.

        Raises:
            StoreUnavailable: The database is not there, or others were always faster.
        """
        for attempt in range(_ATTEMPTS):
            before = await self.get(id_)
            after, told = change(None if before is None else dict(before))
            if after == before:
                return told
            try:
                await self._store.commit(Batch([Write(self._table, id_, before, after)]))
            except Conflict:
                await asyncio.sleep(random.random() * 0.004 * 2**attempt)
            else:
                return told
        raise StoreUnavailable(f"{self._table}: other commits were always faster")

    async def find(self, index: IndexSpec, interval: Interval, limit: int) -> list[Document]:
        """Read the first documents of an interval of an index."""
        return await (await self._now()).scan(self._table, index, interval, limit=limit)

    async def find_equal(self, index: IndexSpec, *values: Any, limit: int) -> list[Document]:
        """Read documents that have these values in the leading fields of an index."""
        return await self.find(index, keys.prefix(values), limit)

    async def delete(self, found: Sequence[Document]) -> None:
        """Delete documents unless they have changed since they were read."""
        for document in found:
            try:
                await self._store.commit(Batch([Write(self._table, document["_id"], document, None)]))
            except Conflict:
                continue
