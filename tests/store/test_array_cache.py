"""The memory of small arrays that were read last."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from synovia.store import arrays
from synovia.store.base import ArrayManifest, ArrayStore
from synovia.store.cache import LARGEST, CachedArrays
from synovia.store.sqlite import SQLiteStore
from synovia_protocol.arrays import ref_of


class Counting:
    """A store's arrays, and how often they were asked."""

    def __init__(self, real: ArrayStore) -> None:
        self.real = real
        self.reads = 0

    async def get_chunk(self, digest: bytes) -> bytes | None:
        self.reads += 1
        return await self.real.get_chunk(digest)

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        self.reads += 1
        return await self.real.get_manifest(digest)


@pytest.fixture
async def source() -> AsyncIterator[Counting]:
    store = SQLiteStore()
    await store.open([])
    yield Counting(store.arrays)
    await store.close()


async def test_a_small_array_is_read_once(source: Counting) -> None:
    cached = CachedArrays(source)
    samples = np.arange(10.0)
    ref = await arrays.write_array(source.real, samples)
    for _ in range(5):
        assert (await arrays.read_range(cached, ref)).tobytes() == samples.tobytes()
    assert source.reads == 2


async def test_what_is_not_there_is_asked_for_again(source: Counting) -> None:
    cached = CachedArrays(source)
    samples = np.arange(10.0)
    ref = ref_of(samples)
    assert await cached.get_manifest(ref.digest) is None
    await arrays.write_array(source.real, samples)
    assert (await arrays.read_range(cached, ref)).tobytes() == samples.tobytes()


async def test_large_chunks_pass_through(source: Counting) -> None:
    cached = CachedArrays(source)
    ref = await arrays.write_array(source.real, np.zeros(LARGEST // 8 + 1))
    for _ in range(3):
        await arrays.read_range(cached, ref)
    assert source.reads == 1 + 3


async def test_what_was_read_longest_ago_goes_first(source: Counting) -> None:
    cached = CachedArrays(source, most_bytes=2_000)
    refs = [await arrays.write_array(source.real, np.full(50, float(number))) for number in range(10)]
    for ref in refs:
        await arrays.read_range(cached, ref)
    source.reads = 0
    await arrays.read_range(cached, refs[-1])
    assert source.reads == 0
    await arrays.read_range(cached, refs[0])
    assert source.reads == 2
