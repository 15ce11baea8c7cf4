"""The key by which the hubs of a database make the addresses of files: made by the first of them, kept in the database."""

from __future__ import annotations

import secrets
from typing import Final

from synovia.auth.records import Records
from synovia.functions.file_addresses import KEY_BYTES
from synovia.schema import Document, TableSpec
from synovia.store.base import Store

FILE_KEYS: Final = TableSpec("_fileKeys")
_CURRENT: Final = "current"


async def file_key(store: Store) -> bytes:
    """Give the key, a new one if there is none yet.

    Raises:
        StoreUnavailable: The database is not there.
    """
    made = secrets.token_bytes(KEY_BYTES)

    def keep(found: Document | None) -> tuple[Document | None, bytes]:
        if found is not None:
            return found, bytes(found["key"])
        return {"_id": _CURRENT, "key": made}, made

    return await Records(store, FILE_KEYS.name).change(_CURRENT, keep)
