"""Bytes of files and arrays in an object store (S3 and what speaks its protocol), while the database knows of each chunk.

The row of a chunk has the name of an object in place of its bytes. Marks, manifests and references stay in the database, so
the sweep and its argument (``store/sweep``) are the same: a row is deleted only if it is idle at that moment, and its object
after it. Whoever stores a chunk anew gives its object a name of its own, so no deletion that is still under way meets it.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from synovia.store.base import ArrayManifest, ArrayStore, ObjectsUnavailable
from synovia_protocol.arrays import chunk_digest

SMALL: Final = 16 * 1024
"""Chunks of so few bytes stay in the database: asking for one elsewhere would cost more."""
_MARK: Final = b"object:"
_NAME_BYTES: Final = 16


class Objects(Protocol):
    """Objects by their names."""

    async def put(self, name: str, data: bytes) -> None:
        """Store an object.

        Raises:
            ObjectsUnavailable: It cannot be stored now.
        """
        ...

    async def get(self, name: str) -> bytes | None:
        """Read an object, None if there is none.

        Raises:
            ObjectsUnavailable: It cannot be read now.
        """
        ...

    async def has(self, name: str) -> bool:
        """Tell whether there is an object; raises as ``get`` does."""
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are not there are no error. Raises as ``get`` does."""
        ...

    def older_than(self, before: datetime) -> AsyncIterator[list[str]]:
        """Name the objects that were stored before a time, page by page; raises as ``get`` does."""
        ...


class ObjectArrays:
    """The arrays of a database, whose chunks may be kept elsewhere; those that it has itself stay where they are.

    Args:
        rows: Those of the database.
        objects: Where new chunks are kept; None: in the database.
    """

    def __init__(self, rows: ArrayStore, objects: Objects | None = None) -> None:
        self._rows = rows
        self._kept_in = objects

    def keep_in(self, objects: Objects | None) -> None:
        """Keep new chunks elsewhere from now on; None: in the database."""
        self._kept_in = objects

    @property
    def _objects(self) -> Objects:
        if self._kept_in is None:
            raise ObjectsUnavailable("these bytes are in an object store: SYNOVIA_FILES_STORE has to say which")
        return self._kept_in

    async def put_chunk(self, digest: bytes, data: bytes | memoryview) -> None:
        """Store one chunk, or renew its mark."""
        if self._kept_in is None or len(data) <= SMALL:
            await self._rows.put_chunk(digest, data)
            return
        mine = _MARK + secrets.token_bytes(_NAME_BYTES)
        made = await self._rows.get_chunk(digest) is None
        if made:
            await self._objects.put(_name(digest, mine), bytes(data))
        await self._rows.put_chunk(digest, mine)
        row = await self._rows.get_chunk(digest)
        if row is None:
            raise ObjectsUnavailable("a chunk was deleted as it was stored; send it again")
        if made and row != mine:  # somebody else was faster
            await self._objects.delete([_name(digest, mine)])
        if _refers(digest, row) and not (made and row == mine) and not await self._objects.has(_name(digest, row)):
            await self._objects.put(_name(digest, row), bytes(data))  # whoever stored it before has not got so far

    async def get_chunk(self, digest: bytes) -> bytes | None:
        """Read one chunk, None if there is none of this digest."""
        row = await self._rows.get_chunk(digest)
        if row is None or not _refers(digest, row):
            return row
        found = await self._objects.get(_name(digest, row))
        if found is not None and chunk_digest(found) != digest:
            raise ObjectsUnavailable(f"the object {_name(digest, row)} is damaged: it is not what was stored")
        return found

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        await self._rows.put_manifest(manifest)

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        return await self._rows.get_manifest(digest)

    # --- sweeping

    async def manifests(self, after: bytes, limit: int) -> list[ArrayManifest]:
        return await self._rows.manifests(after, limit)

    async def idle_arrays(self, after: bytes, before: float, limit: int) -> list[bytes]:
        return await self._rows.idle_arrays(after, before, limit)

    async def idle_chunks(self, after: bytes, before: float, limit: int) -> list[bytes]:
        return await self._rows.idle_chunks(after, before, limit)

    async def delete_arrays(self, digests: Sequence[bytes], before: float) -> int:
        return await self._rows.delete_arrays(digests, before)

    async def delete_chunks(self, digests: Sequence[bytes], before: float) -> tuple[int, int]:
        """Delete chunks that were not used since ``before``, and then their objects; the bytes are those of the database."""
        if self._kept_in is None:
            return await self._rows.delete_chunks(digests, before)
        rows = {digest: await self._rows.get_chunk(digest) for digest in digests}
        deleted = await self._rows.delete_chunks(digests, before)
        gone = [
            _name(digest, row)
            for digest, row in rows.items()
            if row is not None and _refers(digest, row) and await self._rows.get_chunk(digest) != row
        ]
        await self._objects.delete(gone)
        return deleted

    async def delete_abandoned(self, before: float) -> int:
        """Delete objects to which no chunk refers, because a hub has died between two steps; tell how many."""
        number = 0
        if self._kept_in is None:
            return number
        async for names in self._objects.older_than(datetime.fromtimestamp(before, UTC)):
            abandoned = [name for name in names if await self._is_abandoned(name)]
            await self._objects.delete(abandoned)
            number += len(abandoned)
        return number

    async def _is_abandoned(self, name: str) -> bool:
        try:
            digest = bytes.fromhex(name.partition("-")[0])
        except ValueError:
            return False  # it is none of ours
        row = await self._rows.get_chunk(digest)
        return row is None or not _refers(digest, row) or _name(digest, row) != name


def _refers(digest: bytes, row: bytes) -> bool:
    """Tell whether a row has the name of an object instead of a chunk; a chunk may look like one, but has its digest."""
    return row.startswith(_MARK) and len(row) == len(_MARK) + _NAME_BYTES and chunk_digest(row) != digest


def _name(digest: bytes, row: bytes) -> str:
    return f"{digest.hex()}-{row.removeprefix(_MARK).hex()}"
