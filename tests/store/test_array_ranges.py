"""Arrays over an array store: written in chunks, read in ranges, thinned with every peak kept."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from synovia.store import arrays
from synovia.store.base import ArrayManifest
from synovia.store.sqlite import SQLiteStore
from synovia_protocol.arrays import CHUNK_BYTES, DTYPES, ref_of
from synovia_protocol.errors import WireValueError
from synovia_protocol.messages import ArrayRef

PER_CHUNK = CHUNK_BYTES // 8


class Counting:
    """An array store that remembers which chunks were asked for, and in which order things were stored."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.read: list[bytes] = []
        self.stored: list[str] = []

    async def put_chunk(self, digest: bytes, data: bytes | memoryview) -> None:
        self.stored.append("chunk")
        await self._inner.put_chunk(digest, data)

    async def get_chunk(self, digest: bytes) -> bytes | None:
        self.read.append(digest)
        found: bytes | None = await self._inner.get_chunk(digest)
        return found

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        self.stored.append("manifest")
        await self._inner.put_manifest(manifest)

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        found: ArrayManifest | None = await self._inner.get_manifest(digest)
        return found


@pytest.fixture
async def store() -> AsyncIterator[Counting]:
    sqlite = SQLiteStore()
    await sqlite.open([])
    yield Counting(sqlite.arrays)
    await sqlite.close()


def series(length: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(length).standard_normal(length)


async def test_the_reference_is_that_of_the_protocol(store: Counting) -> None:
    samples = series(PER_CHUNK * 2 + 1)
    ref = await arrays.write_array(store, samples)
    assert ref == ref_of(samples)
    manifest = await store.get_manifest(ref.digest)
    assert manifest is not None
    assert (manifest.dtype, manifest.length, len(manifest.chunks)) == ("float64", len(samples), 3)
    assert store.stored == ["chunk", "chunk", "chunk", "manifest"]


@pytest.mark.parametrize("dtype", DTYPES)
async def test_every_dtype_comes_back(store: Counting, dtype: str) -> None:
    samples = (np.arange(70_000) % 2).astype(dtype).reshape(2, 35_000)
    ref = await arrays.write_array(store, samples)
    assert (ref.dtype, ref.shape) == (dtype, (2, 35_000))
    found = await arrays.read_range(store, ref)
    assert found.dtype == samples.dtype
    assert found.tobytes() == samples.tobytes()


async def test_big_endian_and_strided_arrays_are_stored_plain(store: Counting) -> None:
    samples = series(1000)[::2].astype(">f8")
    ref = await arrays.write_array(store, samples)
    assert (await arrays.read_range(store, ref)).tolist() == samples.tolist()


async def test_an_empty_array_has_its_references_dtype(store: Counting) -> None:
    floats = await arrays.write_array(store, np.empty(0))
    integers = await arrays.write_array(store, np.empty(0, dtype=np.int16))
    for ref in (floats, integers):
        assert (await arrays.read_range(store, ref)).dtype == ref.dtype
        assert (await arrays.thin(store, ref, 0, None, 10)).shape == (0, 2)


async def test_what_cannot_travel_is_refused(store: Counting) -> None:
    with pytest.raises(WireValueError):
        await arrays.write_array(store, np.array(["a"]))


@pytest.mark.parametrize(
    ("start", "stop", "chunks"),
    [
        (0, 1, 1),
        (0, PER_CHUNK, 1),
        (PER_CHUNK, PER_CHUNK + 1, 1),
        (PER_CHUNK - 1, PER_CHUNK + 1, 2),
        (5, None, 3),
        (2 * PER_CHUNK, None, 1),
        (7, 7, 0),
        (2 * PER_CHUNK + 10, 2 * PER_CHUNK + 10, 0),
    ],
)
async def test_a_range_reads_only_the_chunks_it_lies_in(
    store: Counting, start: int, stop: int | None, chunks: int
) -> None:
    samples = series(2 * PER_CHUNK + 10)
    ref = await arrays.write_array(store, samples)
    found = await arrays.read_range(store, ref.digest, start, stop)
    assert found.tobytes() == samples[start:stop].tobytes()
    assert len(store.read) == chunks
    pieces = [bytes(piece) async for piece in arrays.stream_range(store, ref, start, stop)]
    assert b"".join(pieces) == samples[start:stop].tobytes()
    assert len(pieces) == chunks
    assert all(0 < len(piece) <= CHUNK_BYTES for piece in pieces)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (6, 5), (0, 11), (11, None)])
async def test_a_range_outside_is_refused(store: Counting, start: int, stop: int | None) -> None:
    ref = await arrays.write_array(store, series(10))
    with pytest.raises(ValueError, match="range"):
        await arrays.read_range(store, ref, start, stop)


async def test_what_is_not_stored_is_told(store: Counting) -> None:
    with pytest.raises(arrays.ArrayNotStored):
        await arrays.read_range(store, b"\0" * 32)
    await store.put_manifest(ArrayManifest(b"\1" * 32, "float64", 1, (b"\2" * 32,)))
    with pytest.raises(arrays.ArrayNotStored):
        await arrays.read_range(store, b"\1" * 32)
    for ref in (ArrayRef(b"\1" * 32, "float64", (2,)), ArrayRef(b"\1" * 32, "int64", (1,))):
        with pytest.raises(arrays.ArrayNotStored, match="1 elements of float64"):
            await arrays.read_range(store, ref)


# --- thinning -----------------------------------------------------------------------------------------------------------


def thinned(samples: np.ndarray[Any, Any], points: int) -> list[tuple[float, float]]:
    """Thin in the plainest way."""
    count = min(points // 2, len(samples))
    edges = [bucket * len(samples) // count for bucket in range(count)] + [len(samples)] if count else []
    result = []
    for low, high in itertools.pairwise(edges):
        present = [value for value in samples[low:high].tolist() if not math.isnan(value)] or [math.nan]
        result.append((min(present), max(present)))
    return result


@examples(60, share_fixtures=True)
@given(
    length=st.integers(0, 40)
    | st.integers(PER_CHUNK - 3, PER_CHUNK + 3)
    | st.integers(2 * PER_CHUNK, 2 * PER_CHUNK + 99),
    points=st.integers(2, 60),
    cut=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    nans=st.floats(0, 1),
)
async def test_thinning_equals_the_plain_way(
    store: Counting, length: int, points: int, cut: tuple[int, int], nans: float
) -> None:
    samples = series(length)
    samples[np.random.default_rng(points).random(length) < nans] = np.nan
    ref = await arrays.write_array(store, samples)
    start = min(cut[0], length)
    stop = max(start, length - cut[1])
    found = await arrays.thin(store, ref, start, stop, points)
    assert found.dtype == samples.dtype
    assert found.shape == (min(points // 2, stop - start), 2)
    np.testing.assert_array_equal(found, np.array(thinned(samples[start:stop], points)).reshape(-1, 2))


async def test_no_peak_is_lost(store: Counting) -> None:
    samples = np.zeros(3 * PER_CHUNK)
    samples[[PER_CHUNK - 1, PER_CHUNK]] = [-np.inf, 7.0]
    ref = await arrays.write_array(store, samples)
    found = await arrays.thin(store, ref, 0, None, 2)
    assert found.tolist() == [[-np.inf, 7.0]]


@pytest.mark.parametrize("dtype", ["int16", "uint64", "bool"])
async def test_integers_are_thinned_as_such(store: Counting, dtype: str) -> None:
    samples = np.array([1, 0, 1, 1, 0, 0, 1], dtype=dtype)
    ref = await arrays.write_array(store, samples)
    found = await arrays.thin(store, ref, 0, None, 4)
    assert found.dtype == samples.dtype
    assert found.tolist() == [[0, 1], [0, 1]]


async def test_fewer_points_than_two_are_refused(store: Counting) -> None:
    ref = await arrays.write_array(store, series(10))
    with pytest.raises(ValueError, match="points"):
        await arrays.thin(store, ref, 0, None, 1)
