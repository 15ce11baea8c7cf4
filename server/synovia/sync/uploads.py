"""The arrays that one connection brings along, and which ones its requests may name."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from synovia.limits.addresses import Address
from synovia.limits.settings import HubLimits
from synovia.store.base import ArrayManifest, ArrayStore
from synovia.store.hashing import hashed
from synovia_protocol.arrays import ArrayReceived, ChunkReceived
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError
from synovia_protocol.messages import ArrayRef
from synovia_protocol.references import array_references

CHUNKS_AT_ONCE: Final = 8
_ARRAYS_AT_ONCE: Final = 8
_FRESH_SECONDS: Final = 60.0
"""An array that was stored so lately is there: no grace of the sweep is as short."""


@dataclass(slots=True)
class _Unfinished:
    """An array of which chunks are still to come: the bytes that have, and what gives their digests."""

    size: int = 0
    chunks: list[asyncio.Task[bytes]] = field(default_factory=list)


class _Stored(NamedTuple):
    """What is known of an array without asking the store, and when it was stored, by the monotonic clock."""

    dtype: str
    length: int
    at: float


class Uploads:
    """Hashes and stores chunks as they come in, and remembers what has come in whole.

    The client is read on meanwhile: a request that names an array waits until it is stored.

    Args:
        arrays: Where chunks and manifests go.
        address: Whose share is used too.
        max_known: Digests remembered; the oldest are forgotten, and would have to be uploaded again.
    """

    def __init__(self, arrays: ArrayStore, limits: HubLimits, address: Address, max_known: int = 10_000) -> None:
        self._arrays = arrays
        self._limits = limits
        self._address = address
        self._max_known = max_known
        self._unfinished: dict[bytes, _Unfinished] = {}
        self._begun = 0
        self._known: dict[bytes, _Stored | None] = {}
        self._storing = deque[asyncio.Task[None]]()
        self._finishing: dict[bytes, asyncio.Task[None]] = {}

    async def chunk(self, event: ChunkReceived) -> None:
        """Hash and store a chunk; the caller reads on while a few are on their way to the store, not more.

        Raises:
            ProtocolError: Too much has been begun and not finished.
            StoreError: This chunk, or one before, could not be stored.
        """
        array = self._unfinished.setdefault(event.array_digest, _Unfinished())
        array.size += len(event.data)
        self._count(len(event.data))
        if len(self._storing) >= CHUNKS_AT_ONCE:
            await self._storing.popleft()
        await self._address.storing.acquire()
        hashing = asyncio.create_task(hashed(event.data))
        array.chunks.append(hashing)
        task = asyncio.create_task(self._store(hashing, event.data))
        task.add_done_callback(lambda _: self._address.storing.release())
        self._storing.append(task)

    async def _store(self, hashing: asyncio.Task[bytes], data: memoryview) -> None:
        await self._arrays.put_chunk(await hashing, data)

    def _count(self, size: int) -> None:
        """Count samples that have come, or, below 0, an array that is finished or given up."""
        self._begun += size
        self._address.upload_bytes += size
        for used, most, whose in (
            (self._begun, self._limits.max_upload_bytes, "this connection"),
            (self._address.upload_bytes, self._limits.max_upload_bytes_per_address, "this address"),
        ):
            if size > 0 and used > most:
                text = f"unfinished uploads of {whose} exceed {most} bytes"
                raise ProtocolError(ErrorCode.LIMIT_EXCEEDED, text, CloseCode.TOO_LARGE)

    async def complete(self, event: ArrayReceived) -> None:
        """Store the manifest of an array once its chunks are there; the caller reads on while a few wait for that.

        Raises:
            ProtocolError: It is not the array that its digest names.
            StoreError: An array before could not be stored.
        """
        array = self._unfinished.pop(event.digest, _Unfinished())
        self._count(-array.size)
        chunks = tuple([await hashing for hashing in array.chunks])
        event.check(chunks)
        while self._finishing and (event.digest in self._finishing or len(self._finishing) >= _ARRAYS_AT_ONCE):
            await self._stored(next(iter(self._finishing)))
        self.know((event.digest,))
        manifest = ArrayManifest(event.digest, event.dtype, event.length, chunks)
        self._finishing[event.digest] = asyncio.create_task(self._finish(manifest, tuple(self._storing)))

    async def _finish(self, manifest: ArrayManifest, chunks: Iterable[asyncio.Task[None]]) -> None:
        for chunk in chunks:
            await chunk
        await self._arrays.put_manifest(manifest)
        if manifest.digest in self._known:
            self._known[manifest.digest] = _Stored(manifest.dtype, manifest.length, time.monotonic())

    async def _stored(self, digest: bytes) -> None:
        """Wait until an array that has come in is stored, if it is not yet.

        Raises:
            StoreError: It cannot be.
        """
        if (finishing := self._finishing.get(digest)) is not None:
            await asyncio.shield(finishing)
            if self._finishing.get(digest) is finishing:  # not one that has come anew
                del self._finishing[digest]

    def close(self) -> None:
        """Give up what is not stored yet."""
        self._count(-self._begun)
        self._unfinished.clear()
        for task in (*self._storing, *self._finishing.values()):
            task.cancel()
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody waits for it any more
        self._storing.clear()
        self._finishing.clear()

    def know(self, digests: Iterable[bytes]) -> None:
        """Let this connection's requests name arrays."""
        for digest in digests:
            self._known.setdefault(digest, None)
            if len(self._known) > self._max_known:
                del self._known[next(iter(self._known))]

    async def fault(self, args: dict[str, Any], shows: Callable[[bytes], bool]) -> ErrorInfo | None:
        """Tell what is wrong with the arrays that arguments name; None if nothing is."""
        for ref in array_references(args):
            if ref.digest not in self._known and not shows(ref.digest):
                return _not_found(ref, "neither uploaded on this connection nor shown by one of its queries")
            await self._stored(ref.digest)
            stored: _Stored | ArrayManifest | None = self._known.get(ref.digest)
            if not isinstance(stored, _Stored) or time.monotonic() - stored.at > _FRESH_SECONDS:
                stored = await self._arrays.get_manifest(ref.digest)
            if stored is None:
                return _not_found(ref, "not stored")
            if (ref.dtype, ref.length) != (stored.dtype, stored.length):
                holds = f"{stored.length} elements of {stored.dtype}"
                text = f"array {ref.digest.hex()[:16]} holds {holds}, not {ref.dtype} of shape {list(ref.shape)}"
                return ErrorInfo(ErrorCode.INVALID_ARGUMENTS, text)
        return None


def _not_found(ref: ArrayRef, why: str) -> ErrorInfo:
    return ErrorInfo(ErrorCode.ARRAY_NOT_FOUND, f"array {ref.digest.hex()[:16]} is {why}", {"digest": ref.digest})
