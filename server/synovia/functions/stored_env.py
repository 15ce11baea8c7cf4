"""The settings of an application that its database keeps."""

from __future__ import annotations

import time

from synovia.functions.env import EnvValue
from synovia.store.base import Batch, Store, Write
from synovia.store.contents import all_documents

_TABLE = EnvValue.spec.name


async def stored_values(store: Store) -> dict[str, str]:
    """Read them, by the variables for which they stand."""
    return {str(row["_id"]): str(row.get("value", "")) for row in await all_documents(store, _TABLE)}


async def keep_value(store: Store, variable: str, value: str | None) -> bool:
    """Write one, or take it away; tell whether anything is another than before.

    Args:
        store: It is open, and knows the table.
        value: None: it is not to be there.

    Raises:
        StoreError: It was not written; Conflict: somebody else wrote it at the same time.
    """
    ts, _ = await store.newest()
    [before] = await store.snapshot(ts).get(_TABLE, [variable])
    if (None if before is None else before.get("value")) == value:
        return False
    after = None if value is None else {"_id": variable, "value": value, "at": int(time.time() * 1000)}
    await store.commit(Batch([Write(_TABLE, variable, before, after)]))
    return True
