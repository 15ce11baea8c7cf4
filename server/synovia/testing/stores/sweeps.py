"""Tests of every store: arrays that nobody refers to are deleted, and never one that somebody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from synovia.schema import to_bson
from synovia.schema.specs import Document
from synovia.store import arrays
from synovia.store.base import ArrayMissing, ArrayStore, Batch, Conflict, RequestRecord, Store
from synovia.store.sweep import Swept, sweep
from synovia.testing.stores.opening import TABLES, Opened, PersistentStoreTests, StoreTests
from synovia.testing.stores.steps import commit, deleted, everything, insert, inserted, replaced
from synovia_protocol import codec
from synovia_protocol.arrays import CHUNK_BYTES, ref_of
from synovia_protocol.messages import ArrayRef

ELEMENTS = CHUNK_BYTES // 8
SEEDS = 500
GRACE = 2.0


def samples(seed: int, size: int = 10) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(size)


def later() -> float:
    """Give a time before which everything that has been done was done."""
    return time.time() + 60


async def the_past() -> float:
    """Give a time that separates what has been done from what follows: clocks of databases count milliseconds."""
    now = time.time() + 0.002
    while time.time() < now + 0.002:  # noqa: ASYNC110 (a clock tells nobody)
        await asyncio.sleep(0)
    return now


async def upload(store: Store, seed: int, size: int = 10) -> ArrayRef:
    return await arrays.write_array(store.arrays, samples(seed, size))


def document(id_: Any, *refs: ArrayRef) -> Document:
    return {"_id": id_, "arrays": [to_bson(ref) for ref in refs]}


async def is_there(store: Store, ref: ArrayRef) -> bool:
    manifest = await store.arrays.get_manifest(ref.digest)
    if manifest is None:
        return False
    assert None not in [await store.arrays.get_chunk(chunk) for chunk in manifest.chunks], (
        "an array without its samples"
    )
    return True


class _WithoutManifests:
    """An upload that has not come to its end."""

    def __init__(self, real: ArrayStore) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def put_manifest(self, manifest: Any) -> None:
        pass


async def _add(store: Store, ref: ArrayRef) -> None:
    await insert(store, "notes", document("new", ref))


async def _move(store: Store, ref: ArrayRef) -> None:
    await commit(store, deleted("notes", document("old", ref)), *inserted("notes", document("new", ref)))


class _Blind:
    """A store whose documents are read to no effect, because they come and go while they are read."""

    def __init__(self, real: Store, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._real = real
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def documents(self) -> AsyncIterator[bytes]:
        await self._meanwhile()
        yield b""


class _Crowd:
    """Writers who upload, refer, move and delete at random, and remember nothing."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.random = Random(seed)
        self.names = 0
        self.refused = 0
        self.is_over = False

    async def work(self) -> None:
        while not self.is_over:
            ts, _ = await self.store.newest()
            there = await everything(self.store, ts, "notes")
            step = self.random.choice([self.upload_and_refer, self.refer, self.move, self.delete, self.delete])
            try:
                await step(there)
            except Conflict:
                continue
            except ArrayMissing:
                self.refused += 1

    def _id(self) -> int:
        self.names += 1
        return self.names

    def _seed(self) -> int:
        return self.random.randrange(SEEDS)

    async def upload_and_refer(self, there: list[Document]) -> None:
        began = time.time()
        ref = await upload(self.store, self._seed())
        try:
            await insert(self.store, "notes", document(self._id(), ref))
        except ArrayMissing:
            assert time.time() > began + GRACE, "swept although it was just stored"

    async def refer(self, there: list[Document]) -> None:
        ref = ref_of(samples(self._seed()))
        await insert(self.store, "notes", document(self._id(), ref))

    async def move(self, there: list[Document]) -> None:
        if there:
            old = self.random.choice(there)
            await commit(self.store, deleted("notes", old), *inserted("notes", {**old, "_id": self._id()}))

    async def delete(self, there: list[Document]) -> None:
        if len(there) > 10:
            await commit(self.store, deleted("notes", self.random.choice(there)))


async def _sweep_beside(crowd: _Crowd) -> None:
    """Sweep until enough has gone and enough was refused; whoever fails on the way makes this fail."""
    swept = 0
    while swept < 20 or not crowd.refused:
        swept += (await sweep(crowd.store, time.time() - GRACE)).arrays


class SweepContract(StoreTests):
    """Arrays that nobody refers to are deleted, and never one that somebody does."""

    async def test_an_array_that_nobody_refers_to_goes_with_its_samples(self, store: Store) -> None:
        kept, lost = await upload(store, 1), await upload(store, 2, 2 * ELEMENTS + 1)
        await insert(store, "notes", document("a", kept))
        assert await sweep(store, later()) == Swept(arrays=1, chunks=3, bytes=2 * CHUNK_BYTES + 8)
        assert await is_there(store, kept)
        assert not await is_there(store, lost)
        assert await sweep(store, later()) == Swept()

    async def test_one_that_was_stored_lately_stays(self, store: Store) -> None:
        old = await upload(store, 1)
        past = await the_past()
        young = await upload(store, 2)
        await sweep(store, past)
        assert [await is_there(store, ref) for ref in (old, young)] == [False, True]

    async def test_storing_it_again_renews_it(self, store: Store) -> None:
        refs = [await upload(store, seed) for seed in (1, 2)]
        past = await the_past()
        await upload(store, 1)
        await sweep(store, past)
        assert [await is_there(store, ref) for ref in refs] == [True, False]

    async def test_samples_whose_array_is_still_on_its_way_stay(self, store: Store) -> None:
        array = samples(1)
        ref = await arrays.write_array(store.arrays, array)
        past = await the_past()
        await arrays.write_array(_WithoutManifests(store.arrays), array)
        assert await sweep(store, past) == Swept(arrays=1)
        await arrays.write_array(store.arrays, array)
        assert await is_there(store, ref)

    async def test_samples_that_another_array_has_too_stay(self, store: Store) -> None:
        common, own, other = samples(1, ELEMENTS), samples(2), samples(3)
        first = await arrays.write_array(store.arrays, np.concatenate([common, own]))
        second = await arrays.write_array(store.arrays, np.concatenate([common, other]))
        await insert(store, "notes", document("a", second))
        assert await sweep(store, later()) == Swept(arrays=1, chunks=1, bytes=80)
        assert not await is_there(store, first)
        assert (await arrays.read_range(store.arrays, second)).tobytes() == np.concatenate([common, other]).tobytes()

    async def test_references_count_wherever_they_are(self, store: Store) -> None:
        refs = [await upload(store, seed) for seed in range(5)]
        await insert(store, "notes", {"_id": 1, "deep": {"er": [{"still": to_bson(refs[0])}]}})
        await insert(store, "users", {"_id": 1, "email": "a", "name": "x", "curve": to_bson(refs[1])})
        await insert(store, "notes", {"_id": 2, "digest alone": refs[2].digest})
        await insert(store, "notes", {"_id": 3, "packed": codec.pack({"args": [refs[3]]})})
        assert (await sweep(store, later())).arrays == 1
        assert [await is_there(store, ref) for ref in refs] == [True] * 4 + [False]

    async def test_results_of_requests_do_not_count(self, store: Store) -> None:
        ref = await upload(store, 1)
        await commit(store, requests=[RequestRecord(b"s" * 16, 1, codec.pack(ref))])
        assert (await sweep(store, later())).arrays == 1

    async def test_many_documents_and_arrays(self, store: Store) -> None:
        refs = [await upload(store, seed) for seed in range(150)]
        padding = "x" * 20_000
        for start in range(0, 150, 50):
            await insert(
                store,
                "notes",
                *(document(n, refs[n]) | {"padding": padding} for n in range(start, start + 50) if n % 3),
            )
        assert (await sweep(store, later())).arrays == 50
        assert [await is_there(store, ref) for ref in refs] == [n % 3 != 0 for n in range(150)]

    # --- beside others ------------------------------------------------------------------------------------------------

    async def test_a_commit_does_not_refer_to_what_is_gone(self, store: Store) -> None:
        there, gone = await upload(store, 1), await upload(store, 2)
        await insert(store, "notes", document("a", there))
        await sweep(store, later())
        ts, fence = await store.newest()
        with pytest.raises(ArrayMissing) as caught:
            await store.commit(Batch(inserted("notes", {"_id": "b"}, document("c", there, gone)), fence=fence))
        assert caught.value.digest == gone.digest
        assert len(await everything(store, (await store.newest())[0], "notes")) == 1
        assert (await store.newest())[1] == fence, "nothing was committed"
        assert ts

    async def test_a_reference_that_was_there_before_is_not_looked_at_again(self, store: Store) -> None:
        """Another program may have left one that leads nowhere; its document can be changed all the same."""
        ref = await upload(store, 1)
        old = document("a", ref)
        await insert(store, "notes", old)
        await store.arrays.delete_arrays([ref.digest], later())
        await commit(store, replaced("notes", old, title="new"))

    @pytest.mark.parametrize("meanwhile", [_add, _move])
    async def test_a_reference_that_is_added_while_the_documents_are_read(
        self, store: Store, meanwhile: Callable[[Store, ArrayRef], Awaitable[None]]
    ) -> None:
        ref = await upload(store, 1)
        if meanwhile is _move:
            await insert(store, "notes", document("old", ref))
        past = await the_past()
        swept = await sweep(cast(Store, _Blind(store, lambda: meanwhile(store, ref))), past)
        assert swept == Swept()
        assert await is_there(store, ref)

    async def test_beside_writers_no_reference_ever_leads_nowhere(self, store: Store) -> None:
        crowd = _Crowd(store, 7)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(crowd.work())
            await _sweep_beside(crowd)
            crowd.is_over = True  # not cancelled: what they are committing might still be written later

        ts, _ = await store.newest()
        needed = {found["arrays"][0]["digest"] for found in await everything(store, ts, "notes")}
        assert needed
        await sweep(store, later())
        for seed in range(SEEDS):
            digest = ref_of(samples(seed)).digest
            if digest in needed:
                assert (await arrays.read_range(store.arrays, digest)).tobytes() == samples(seed).tobytes()
            else:
                assert await store.arrays.get_manifest(digest) is None


class LastingSweepContract(PersistentStoreTests):
    """x"""

    async def test_references_in_tables_that_are_not_declared_any_more_count(self, persistent: Opened) -> None:
        ref = await upload(persistent.store, 1)
        await insert(persistent.store, "notes", document("a", ref))
        store = await persistent.reopen(TABLES[1:])
        assert await sweep(store, later()) == Swept()
        assert await is_there(store, ref)
