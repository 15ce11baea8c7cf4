"""A long read on MongoDB comes in parts: others have their turn between two of them, and all are of one instant."""

from __future__ import annotations

import asyncio

import pytest

from synovia.keys import BY_ID
from synovia.store.base import Batch, Write
from synovia.store.mongo import MongoStore, driver
from synovia.testing.stores.steps import EVERYTHING, inserted
from synovia.turns import Turns


@pytest.mark.parametrize("count", [0, 9, 10, 11, 95])
async def test_a_scan_in_parts_is_whole_and_of_one_instant(
    store: MongoStore, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "AT_ONCE", 10)
    monkeypatch.setattr("synovia.store.mongo.snapshot.AT_ONCE", 10)
    documents = [{"_id": n, "rank": n} for n in range(count)]
    ts = await store.commit(Batch(inserted("notes", *documents)))
    scanning = asyncio.create_task(store.snapshot(ts).scan("notes", BY_ID, EVERYTHING))
    await asyncio.sleep(0)
    if documents:
        await store.commit(Batch([Write("notes", count - 1, documents[-1], None)]))
    assert await scanning == documents
    assert await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING, limit=25) == documents[:25]
    assert await store.snapshot(ts).count("notes", BY_ID, EVERYTHING) == count


async def test_no_part_is_larger_than_what_is_decoded_at_a_time(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what the driver asks for by itself: the batches after the first."""
    monkeypatch.setattr(driver, "AT_ONCE", 10)
    monkeypatch.setattr("synovia.store.mongo.snapshot.AT_ONCE", 10)
    ts = await store.commit(Batch(inserted("notes", *({"_id": n, "rank": n} for n in range(95)))))
    parts: list[int] = []

    class Counted(Turns):
        async def step(self) -> None:
            parts.append(1)
            await super().step()

    monkeypatch.setattr("synovia.store.mongo.driver.Turns", Counted)
    assert len(await store.snapshot(ts).scan("notes", BY_ID, EVERYTHING)) == 95
    assert len(parts) == 9
