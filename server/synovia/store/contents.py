"""What a database holds."""

from __future__ import annotations

from synovia.keys import BY_ID, prefix
from synovia.schema import Document
from synovia.store.base import Store


async def all_documents(store: Store, table: str) -> list[Document]:
    """Read a small table whole, as of now; of one that is not there nothing."""
    if table not in await store.tables():
        return []
    ts, _ = await store.newest()
    return await store.snapshot(ts).scan(table, BY_ID, prefix([]))


async def first_table_with_documents(store: Store) -> str | None:
    """Name a table of an application that has a document; None: there is nothing."""
    ts, _ = await store.newest()
    snapshot = store.snapshot(ts)
    for table in sorted(await store.tables()):
        if not table.startswith("_") and await snapshot.scan(table, BY_ID, prefix([]), limit=1):
            return table
    return None
