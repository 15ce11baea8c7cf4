"""The sweep on MongoDB, beside other programs that keep references in documents of their own."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from bson import Binary
from pymongo.database import Database

from synovia.store import arrays
from synovia.store.base import ArrayManifest, StoreError
from synovia.store.mongo import MongoStore
from synovia.store.sweep import Swept, sweep
from synovia_protocol.messages import ArrayRef

pytestmark = pytest.mark.mongodb

Outside = Database[dict[str, Any]]


def later() -> float:
    return time.time() + 60


async def upload(store: MongoStore, number: int) -> ArrayRef:
    return await arrays.write_array(store.arrays, np.full(10, float(number)))


async def test_references_in_other_programs_documents_count(store: MongoStore, outside: Outside) -> None:
    refs = [await upload(store, number) for number in range(4)]
    reference = {"digest": refs[0].digest, "dtype": "float64", "shape": [10]}
    outside.users.insert_one({"_id": 1, "email": "a", "curve": reference})  # a table of the application
    outside.reports.insert_one({"_id": 1, "figures": [{"of": Binary(refs[1].digest, 0)}]})  # none that it knows
    outside.create_collection("log", capped=True, size=100_000)
    outside.log.insert_one({"digest": Binary(refs[2].digest, 5)})
    outside.create_collection("latest", viewOn="reports", pipeline=[])
    assert await sweep(store, later()) == Swept(arrays=1, chunks=1, bytes=80)
    assert await store.arrays.get_manifest(refs[3].digest) is None


async def test_arrays_of_the_version_before_carry_no_mark_and_count_as_old(store: MongoStore, outside: Outside) -> None:
    await upload(store, 1)
    for collection in ("_arrays", "_chunks"):
        outside[collection].update_many({}, {"$unset": {"used": ""}})
    assert await sweep(store, time.time() - 3600) == Swept(arrays=1, chunks=1, bytes=80)


async def test_what_has_not_been_used_is_found_without_reading_samples(store: MongoStore, outside: Outside) -> None:
    await upload(store, 1)
    command = {
        "find": "_chunks",
        "filter": {"_id": {"$gt": b""}, "used": {"$not": {"$gte": 0}}},
        "projection": {"_id": 1},
        "sort": {"_id": 1},
        "hint": "synovia_use",
    }
    plan = outside.command("explain", command, verbosity="executionStats")
    assert plan["executionStats"]["totalDocsExamined"] == 0


async def test_the_change_stream_does_not_tell_of_arrays_that_go(store: MongoStore, outside: Outside) -> None:
    await upload(store, 1)
    ts, fence = await store.newest()
    await sweep(store, later())
    assert (await store.newest())[1] == fence
    changes = store.changes(ts)
    async for change in changes:
        assert not getattr(change, "writes", ())
        if change.ts > ts:
            break
    await changes.aclose()


async def test_what_is_too_large_to_be_kept_takes_nothing_along_that_is_put_with_it(store: MongoStore) -> None:
    large = ArrayManifest(b"\0" * 32, "uint8", 1, (b"\1" * 32,) * 400_000)
    small = [ArrayManifest(bytes([number]) * 32, "uint8", 1, (b"\1" * 32,)) for number in range(1, 9)]
    told = await asyncio.gather(
        *(store.arrays.put_manifest(each) for each in (*small[:4], large, *small[4:])), return_exceptions=True
    )
    assert [each for each in told if each is not None] == [told[4]]
    assert isinstance(told[4], StoreError)
    assert await asyncio.gather(*(store.arrays.get_manifest(each.digest) for each in small)) == small
