"""The tables that the contract is tested with, and how its tests come by an open store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store.base import Store

BY_RANK = IndexSpec("by_rank", ("rank",))
BY_TAG = IndexSpec("by_tag", ("tags",))
BY_PLACE = IndexSpec("by_place", ("place.city", "rank"))
BY_MEMBER = IndexSpec("by_member", ("members.userId",))
NOTES = TableSpec("notes", (BY_RANK, BY_TAG, BY_PLACE, BY_MEMBER))

BY_EMAIL = IndexSpec("by_email", ("email",), unique=True)
BY_ALIAS = IndexSpec("by_alias", ("team", "aliases"), unique=True)
USERS = TableSpec("users", (BY_EMAIL, BY_ALIAS))

TABLES = (NOTES, USERS)

MakeStore = Callable[[], Store]
"""Makes a store that is not open yet. Of a store that keeps its data, every one made in one test is over the same data."""


class Opened:
    """An open store that can be closed and opened again over the same data.

    Attributes:
        store: The one that is open now.
    """

    def __init__(self, make_store: MakeStore) -> None:
        self._make_store = make_store
        self.store = make_store()

    async def reopen(self, tables: Sequence[TableSpec]) -> Store:
        """Close the store and open another one over its data."""
        await self.store.close()
        self.store = self._make_store()
        await self.store.open(tables)
        return self.store


@asynccontextmanager
async def opened(make_store: MakeStore, tables: Sequence[TableSpec]) -> AsyncIterator[Opened]:
    """Open a store, and close at the end whichever has taken its place."""
    present = Opened(make_store)
    await present.store.open(tables)
    try:
        yield present
    finally:
        await present.store.close()


class StoreTests:
    """Tests that ask for ``store``: an open, empty one."""

    @pytest.fixture
    async def store(self, make_store: MakeStore) -> AsyncIterator[Store]:
        """Give an open, empty store."""
        async with opened(make_store, TABLES) as present:
            yield present.store


class PersistentStoreTests:
    """Tests that ask for ``persistent``: an open, empty store that can be opened again over the same data."""

    @pytest.fixture
    async def persistent(self, make_store: MakeStore) -> AsyncIterator[Opened]:
        """Give an open, empty store and the way to open it again."""
        async with opened(make_store, TABLES) as present:
            yield present
