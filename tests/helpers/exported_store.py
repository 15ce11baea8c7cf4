"""A database with every kind of thing in it, and comparing two of them document by document."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import bson
import numpy as np
from bson import Binary, Decimal128, Int64, ObjectId

from synovia.export.writing import documents_of
from synovia.keys import IndexSpec
from synovia.schema.specs import TableSpec
from synovia.store.arrays import write_array
from synovia.store.base import Batch, Store, Write
from synovia_protocol.messages import ArrayRef

NOTES = TableSpec("notes", (IndexSpec("by_name", ("name",), unique=True),))
TABLES = (NOTES, TableSpec("recordings"), TableSpec("_sessions"), TableSpec("_migrations"))

VALUES: Sequence[Any] = (
    5, Int64(5), Int64(2**50), 1.0, -0.0, math.nan, math.inf, None, True, "text\nwith é \U0001f980", b"\0\xff",
    Binary(bytes(16), 4), Decimal128("1.10"), dt.datetime(2026, 11, 28, 1, 2, 3, 4000, tzinfo=dt.UTC),
    ObjectId("6b012ca42122a9581e9de51b"), [1, [2.5, {"a": "b"}]], {"b": 1, "a": {"c": []}},
)  # fmt: skip


def reference(ref: ArrayRef) -> dict[str, Any]:
    """Give an array's reference as documents hold it."""
    return {"digest": ref.digest, "dtype": ref.dtype, "shape": list(ref.shape)}


async def insert(store: Store, table: str, *documents: dict[str, Any]) -> None:
    await store.commit(Batch([Write(table, each["_id"], None, each) for each in documents], clock=1 << 50))


async def fill(store: Store) -> None:
    """Write documents of every type, ids of several types, and arrays: empty, small, of many chunks, unused."""
    values = [{"_id": f"n{place:02}", "name": place, "value": each} for place, each in enumerate(VALUES)]
    await insert(
        store, "notes", *values, {"_id": ObjectId("6b012ca42122a9581e9de51b"), "name": "x", "_creationTime": 1.5}
    )
    arrays = np.arange(100_000.0), np.zeros(0), np.arange(7, dtype="int16"), np.array([True, False])
    refs = [reference(await write_array(store.arrays, each)) for each in arrays]
    await insert(store, "recordings", *({"_id": f"r{place}", "samples": ref} for place, ref in enumerate(refs)))
    await write_array(store.arrays, np.arange(3.0))
    await insert(store, "_sessions", {"_id": "s", "owner": "ada"})
    await insert(store, "_migrations", {"_id": "notes:split", "status": "done"})


async def bodies(store: Store, tables: Sequence[str] | None = None) -> dict[str, list[bytes]]:
    """Read every document of a database as BSON, by table."""
    ts, _ = await store.newest()
    found: dict[str, list[bytes]] = {}
    for table in tables or await store.tables():
        pages = [page async for page in documents_of(store.snapshot(ts), table)]
        found[table] = [bson.encode(document) for page in pages for document in page]
    return {table: documents for table, documents in found.items() if documents}


async def array_bytes(store: Store) -> dict[bytes, bytes]:
    """Read every array of a database."""
    found: dict[bytes, bytes] = {}
    for manifest in await store.arrays.manifests(b"", 1000):
        chunks = [await store.arrays.get_chunk(chunk) for chunk in manifest.chunks]
        found[manifest.digest] = b"".join(chunk or b"" for chunk in chunks)
    return found
