"""Content that comes as a stream of bytes: cut into chunks, hashed and stored as it comes, a megabyte of it in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from synovia.store.arrays import stream_range
from synovia.store.base import ArrayManifest, ArraySink, ArraySource
from synovia_protocol.arrays import CHUNK_BYTES, array_digest, chunk_digest

DTYPE: Final = "uint8"
"""Content is stored as an array of bytes is, so whatever carries, sweeps or checks arrays does so with it."""
_AT_ONCE: Final = 4
"""So many chunks are on their way to the database at the same time."""


class ContentWriter:
    """Stores content piece by piece.

    Args:
        store: Where it goes.
        begun: What has been stored of it before; a whole number of chunks.
    """

    def __init__(self, store: ArraySink, begun: ArrayManifest | None = None) -> None:
        self._store = store
        self._chunks: list[bytes] = [] if begun is None else [*begun.chunks]
        self._rest = bytearray()
        self._storing: deque[asyncio.Task[None]] = deque()

    @property
    def size(self) -> int:
        """How many bytes there are, with those that make no whole chunk yet."""
        return self.whole + len(self._rest)

    @property
    def whole(self) -> int:
        """How many bytes lie in whole chunks."""
        return len(self._chunks) * CHUNK_BYTES

    async def add(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            StoreError: Some could not be stored.
        """
        view = memoryview(data)
        while len(view):
            room = CHUNK_BYTES - len(self._rest)
            self._rest += view[:room]
            view = view[room:]
            if len(self._rest) == CHUNK_BYTES:
                await self._put()

    async def _put(self) -> None:
        chunk = bytes(self._rest)
        self._rest.clear()
        digest = chunk_digest(chunk)
        self._chunks.append(digest)
        if len(self._storing) >= _AT_ONCE:
            await self._storing.popleft()
        self._storing.append(asyncio.create_task(self._store.put_chunk(digest, chunk)))

    async def so_far(self) -> ArrayManifest:
        """Store the manifest of the whole chunks that are there; what follows them is still to come.

        Raises:
            StoreError: Something could not be stored.
        """
        while self._storing:
            await self._storing.popleft()
        manifest = ArrayManifest(array_digest(DTYPE, self._chunks), DTYPE, self.whole, tuple(self._chunks))
        await self._store.put_manifest(manifest)
        return manifest

    async def end(self) -> ArrayManifest:
        """Store the rest, and the manifest of all.

        Raises:
            StoreError: Something could not be stored.
        """
        size = self.size
        if self._rest:
            await self._put()
        while self._storing:
            await self._storing.popleft()
        manifest = ArrayManifest(array_digest(DTYPE, self._chunks), DTYPE, size, tuple(self._chunks))
        await self._store.put_manifest(manifest)
        return manifest

    async def close(self) -> None:
        """Give up what is still on its way to the database."""
        for task in self._storing:
            task.cancel()
        await asyncio.gather(*self._storing, return_exceptions=True)
        self._storing.clear()


async def stream_content(
    store: ArraySource, content: ArrayManifest | bytes, start: int = 0, stop: int | None = None
) -> AsyncIterator[bytes]:
    """Give bytes ``[start, stop)`` of some content, a chunk at a time.

    Raises:
        ArrayNotStored: The store does not have it.
    """
    async for piece in stream_range(store, content, start, stop):
        yield bytes(piece)
