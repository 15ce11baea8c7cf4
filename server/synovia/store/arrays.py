"""Arrays on top of any array store: writing them chunk by chunk, reading ranges, thinning them for a plot."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np
import numpy.typing as npt

from synovia.store.base import ArrayManifest, ArraySink, ArraySource, StoreError
from synovia_protocol.arrays import (
    ITEM_BYTES,
    array_digest,
    chunk_digest,
    chunk_elements,
    chunks_of,
    raw_of,
    to_numpy,
)
from synovia_protocol.messages import ArrayRef

Array = npt.NDArray[Any]
Stored = ArrayRef | ArrayManifest | bytes
"""A stored array: by its reference, its manifest, or its digest."""

AHEAD = 4
"""So many chunks are read at the same time: a megabyte."""


class ArrayNotStored(StoreError):
    """The store has no such array, or not all of its chunks."""


async def store_arrays(store: ArraySink, value: Any) -> Any:
    """Store the numpy arrays in a value, and give it with references in their places."""
    if isinstance(value, np.ndarray):
        return await write_array(store, value)
    if isinstance(value, Mapping):
        return {key: await store_arrays(store, item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, ArrayRef):
        return [await store_arrays(store, item) for item in value]
    return value


async def write_array(store: ArraySink, array: Array) -> ArrayRef:
    """Store an array, its chunks first and its manifest last, and give its reference.

    Raises:
        WireValueError: Its dtype is none that can travel.
    """
    raw = raw_of(array)
    digests = []
    for chunk in chunks_of(raw):
        digest = chunk_digest(chunk)
        await store.put_chunk(digest, bytes(chunk))
        digests.append(digest)
    dtype = array.dtype.newbyteorder("<").name
    manifest = ArrayManifest(array_digest(dtype, digests), dtype, array.size, tuple(digests))
    await store.put_manifest(manifest)
    return ArrayRef(manifest.digest, dtype, array.shape)


async def read_range(store: ArraySource, array: Stored, start: int = 0, stop: int | None = None) -> Array:
    """Read elements ``[start, stop)`` of the flattened array; only the chunks they lie in are read.

    Raises:
        ArrayNotStored: The store does not have it.
        ValueError: It has no such range.
    """
    manifest = await _manifest(store, array)
    start, stop = _check(manifest, start, stop)
    data = bytearray((stop - start) * ITEM_BYTES[manifest.dtype])
    at = 0
    async for piece in _pieces(store, manifest, start, stop):
        data[at : at + len(piece)] = piece
        at += len(piece)
    return to_numpy(data, manifest.dtype, (stop - start,))


async def stream_range(
    store: ArraySource, array: Stored, start: int = 0, stop: int | None = None
) -> AsyncIterator[memoryview]:
    """Give the raw bytes of elements ``[start, stop)``, piece by piece, at most a chunk each.

    Raises:
        ArrayNotStored: The store does not have it.
        ValueError: It has no such range.
    """
    manifest = await _manifest(store, array)
    start, stop = _check(manifest, start, stop)
    async for piece in _pieces(store, manifest, start, stop):
        yield piece


async def thin(store: ArraySource, array: Stored, start: int, stop: int | None, points: int) -> Array:
    """Reduce elements ``[start, stop)`` to the minimum and maximum of each bucket, so that no peak is lost.

    Bucket ``i`` of ``n`` begins at element ``i * length // n``. NaN counts only where a bucket holds nothing else. One
    chunk at a time is in memory.

    Args:
        store: Where the array is.
        array: Which one.
        start: The first element.
        stop: The end, None for the array's own.
        points: How many numbers to give at most; there are ``points // 2`` buckets, and never more than elements.

    Returns:
        An array of the same dtype and of shape (buckets, 2).

    Raises:
        ArrayNotStored: The store does not have it.
        ValueError: It has no such range, or ``points`` is less than 2.
    """
    if points < 2:
        raise ValueError(f"{points} points hold no bucket of a minimum and a maximum")
    manifest = await _manifest(store, array)
    start, stop = _check(manifest, start, stop)
    buckets = _Buckets(stop - start, min(points // 2, stop - start), np.dtype(manifest.dtype))
    async for piece in _pieces(store, manifest, start, stop):
        buckets.add(to_numpy(piece, manifest.dtype, (len(piece) // ITEM_BYTES[manifest.dtype],)))
    return buckets.result


# --- where the bytes are ------------------------------------------------------------------------------------------------


async def _manifest(store: ArraySource, array: Stored) -> ArrayManifest:
    if isinstance(array, ArrayManifest):
        return array
    digest = array if isinstance(array, bytes) else array.digest
    manifest = await store.get_manifest(digest)
    if manifest is None:
        raise ArrayNotStored(f"the array {digest.hex()} is not stored")
    if isinstance(array, ArrayRef) and (array.dtype, array.length) != (manifest.dtype, manifest.length):
        raise ArrayNotStored(f"the array {digest.hex()} has {manifest.length} elements of {manifest.dtype}")
    return manifest


def _check(manifest: ArrayManifest, start: int, stop: int | None) -> tuple[int, int]:
    stop = manifest.length if stop is None else stop
    if not 0 <= start <= stop <= manifest.length:
        raise ValueError(f"[{start}, {stop}) is not a range of {manifest.length} elements")
    return start, stop


async def _pieces(store: ArraySource, manifest: ArrayManifest, start: int, stop: int) -> AsyncIterator[memoryview]:
    """Give the bytes of elements ``[start, stop)`` chunk by chunk."""
    item = ITEM_BYTES[manifest.dtype]
    first, last = start * item, stop * item
    per_chunk = chunk_elements(manifest.dtype) * item
    end = -(-last // per_chunk) if last > first else 0
    numbers = range(first // per_chunk, end)
    async with aclosing(_chunks(store, [manifest.chunks[number] for number in numbers])) as chunks:
        base = numbers.start * per_chunk
        async for chunk in chunks:
            yield memoryview(chunk)[max(first - base, 0) : min(last - base, per_chunk)]
            base += per_chunk


async def _chunks(store: ArraySource, digests: Sequence[bytes]) -> AsyncGenerator[bytes, None]:
    """Give chunks in order, reading some ahead: the database works while the one before is on its way."""
    ahead: deque[asyncio.Task[bytes]] = deque()
    rest = iter(digests)
    try:
        for digest in itertools.islice(rest, AHEAD):
            ahead.append(asyncio.create_task(_chunk(store, digest)))
        while ahead:
            chunk = await ahead.popleft()
            for digest in itertools.islice(rest, 1):
                ahead.append(asyncio.create_task(_chunk(store, digest)))
            yield chunk
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


async def _chunk(store: ArraySource, digest: bytes) -> bytes:
    chunk = await store.get_chunk(digest)
    if chunk is None:
        raise ArrayNotStored(f"the chunk {digest.hex()} is not stored")
    return chunk


class _Buckets:
    """Minimum and maximum per bucket of a series that arrives in pieces."""

    def __init__(self, length: int, count: int, dtype: np.dtype[Any]) -> None:
        self._edges = np.arange(count + 1) * length // max(count, 1)
        self._at = 0
        self.result: Array = np.zeros((count, 2), dtype=dtype)

    def add(self, samples: Array) -> None:
        start, end = self._at, self._at + len(samples)
        first = int(np.searchsorted(self._edges, start, "right")) - 1
        last = int(np.searchsorted(self._edges, end, "left"))
        inside = np.maximum(self._edges[first:last] - start, 0)
        with np.errstate(invalid="ignore"):  # signalling NaNs are samples like others
            self._merge(first, np.fmin.reduceat(samples, inside), np.fmax.reduceat(samples, inside))
        self._at = end

    def _merge(self, first: int, lows: Array, highs: Array) -> None:
        if self._edges[first] < self._at:  # the piece before has begun this bucket
            lows[0] = np.fmin(lows[0], self.result[first, 0])
            highs[0] = np.fmax(highs[0], self.result[first, 1])
        self.result[first : first + len(lows), 0] = lows
        self.result[first : first + len(highs), 1] = highs
