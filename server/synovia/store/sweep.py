"""Deleting arrays that no document refers to.

Every array and every chunk carries a mark: when it was last stored, or when a commit last added a reference to it. The sweep
reads all documents once, without a common instant, and then deletes what none of them refers to and what was marked before
``before`` - still so at the moment of the deletion, which the store checks. This never leaves a reference without its array:

- A document that held its reference all the while was read with it.
- A reference that was added since, by a new document or by one that was passed already, has renewed the mark in its own
  transaction (``Store.commit``), also when it was moved from one document to another.
- A commit that would add a reference to an array that is gone already is refused.
- An upload that finds the array or a chunk there renews its mark, too; one that has put chunks down and not yet their
  array is safe because chunks have marks of their own.

Only another program that adds references itself renews nothing: it has to do so before its array is ``before`` old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from synovia.store.base import Store
from synovia.store.objects import ObjectArrays
from synovia.store.references import Digests, possible_references

PAGE = 1_000
MANIFESTS = 100
AT_ONCE = 64
"""So many arrays or chunks are deleted in one go: 16 MiB at most."""

GRACE = 86_400.0
"""Seconds for which an array that nobody refers to is kept, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has deleted, and the bytes of samples that it has freed."""

    arrays: int = 0
    chunks: int = 0
    bytes: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.arrays + other.arrays, self.chunks + other.chunks, self.bytes + other.bytes)


async def sweep(store: Store, before: float) -> Swept:
    """Delete the arrays that no document refers to and that were last used before a time, in seconds since 1970.

    Several may run at once, also from several hubs; they only do the same work twice. Memory: 8 bytes for each reference.

    Raises:
        StoreError: The database failed on the way; what is deleted stays deleted, another sweep goes on.
    """
    arrays = await _sweep_arrays(store, before)
    chunks, freed = await _sweep_chunks(store, before)
    if isinstance(store.arrays, ObjectArrays):
        await store.arrays.delete_abandoned(before)
    return Swept(arrays, chunks, freed)


async def _sweep_arrays(store: Store, before: float) -> int:
    needed, deleted = Digests(), 0
    async for bodies in store.documents():
        needed.add(possible_references(bodies))
    async for idle in _Pages(store.arrays.idle_arrays, before):
        doomed = needed.without(idle)
        for start in range(0, len(doomed), AT_ONCE):
            deleted += await store.arrays.delete_arrays(doomed[start : start + AT_ONCE], before)
    return deleted


async def _sweep_chunks(store: Store, before: float) -> tuple[int, int]:
    needed, deleted, freed = Digests(), 0, 0
    after = b""
    while manifests := await store.arrays.manifests(after, MANIFESTS):
        after = manifests[-1].digest
        needed.add(chunk for manifest in manifests for chunk in manifest.chunks)
    async for idle in _Pages(store.arrays.idle_chunks, before):
        doomed = needed.without(idle)
        for start in range(0, len(doomed), AT_ONCE):
            count, size = await store.arrays.delete_chunks(doomed[start : start + AT_ONCE], before)
            deleted, freed = deleted + count, freed + size
    return deleted, freed


class _Pages:
    """Digests page by page, each page beginning after the last one of the page before."""

    def __init__(self, read: Callable[[bytes, float, int], Awaitable[list[bytes]]], before: float) -> None:
        self._read = read
        self._before = before
        self._after = b""

    def __aiter__(self) -> _Pages:
        return self

    async def __anext__(self) -> list[bytes]:
        page = await self._read(self._after, self._before, PAGE)
        if not page:
            raise StopAsyncIteration
        self._after = page[-1]
        return page
