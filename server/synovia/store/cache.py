"""Small arrays that many ask for at once: what everybody who follows something live fetches in the same moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from synovia.store.base import ArrayManifest, ArraySource

T = TypeVar("T", bytes, ArrayManifest)

LARGEST = 64 * 1024
"""Larger chunks are not kept: whoever reads them is limited by other things, and they would drive out everything else."""


class CachedArrays:
    """Reads arrays through a memory of those that were read last. They never change, so it is never wrong; one that has
    been deleted may still be found.

    Args:
        most_bytes: How much is kept.
    """

    def __init__(self, source: ArraySource, most_bytes: int = 16 * 1024 * 1024) -> None:
        self._source = source
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[type, bytes], tuple[bytes | ArrayManifest, int]] = OrderedDict()
        self._bytes = 0

    async def get_chunk(self, digest: bytes) -> bytes | None:
        """Read one chunk, None if there is none of this digest."""
        return await self._get(bytes, digest, self._source.get_chunk, len)

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        """Read a manifest, None if there is none of this digest."""
        return await self._get(ArrayManifest, digest, self._source.get_manifest, _size)

    async def _get(
        self, kind: type[T], digest: bytes, read: Callable[[bytes], Awaitable[T | None]], size: Callable[[T], int]
    ) -> T | None:
        key = kind, digest
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept[0]  # type: ignore[return-value]  # of the type that the key names
        found = await read(digest)
        if found is not None and key not in self._kept:
            self._keep(key, found, size(found))
        return found

    def _keep(self, key: tuple[type, bytes], found: bytes | ArrayManifest, size: int) -> None:
        if size > LARGEST:
            return
        self._kept[key] = found, size
        self._bytes += size
        while self._bytes > self._most_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed


def _size(manifest: ArrayManifest) -> int:
    return 200 + 65 * len(manifest.chunks)
