"""Chunks and manifests as documents of two collections of their own.

Their field ``used`` is the mark by which the sweep goes, as a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson import Binary

from synovia.schema.specs import Document
from synovia.store.base import ArrayManifest, ArrayMissing
from synovia.store.mongo.catalog import ARRAYS, CHUNKS
from synovia.store.mongo.cursor import all_documents
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.puts import Puts
from synovia.store.mongo.schema import MAJORITY, USE

_MAJORITY_READ = {"level": "majority"}
_BYTES_BESIDE = 200
_CHUNK_OF_MANIFEST = 48
"""About so many bytes an operation has beside its content, and a chunk takes in a manifest."""


class MongoArrays:
    """Content-addressed arrays; of what is stored only the mark ever changes."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._puts = Puts(driver)

    async def put_chunk(self, digest: bytes, data: bytes | memoryview) -> None:
        await self._put(CHUNKS, digest, {"data": Binary(data)}, len(data))

    async def get_chunk(self, digest: bytes) -> bytes | None:
        found = await self._get(CHUNKS, digest)
        return None if found is None else bytes(found["data"])

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        chunks = [Binary(chunk) for chunk in manifest.chunks]
        fields = {"dtype": manifest.dtype, "length": manifest.length, "chunks": chunks}
        await self._put(ARRAYS, manifest.digest, fields, _CHUNK_OF_MANIFEST * len(chunks))

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        found = await self._get(ARRAYS, digest)
        return None if found is None else _manifest(found)

    # --- sweeping -----------------------------------------------------------------------------------------------------

    async def manifests(self, after: bytes, limit: int) -> list[ArrayManifest]:
        query = {"find": ARRAYS, "filter": {"_id": {"$gt": Binary(after)}}, "sort": {"_id": 1}, "limit": limit}
        return [_manifest(row) for row in await self._read(query)]

    async def idle_arrays(self, after: bytes, before: float, limit: int) -> list[bytes]:
        return await self._idle(ARRAYS, after, before, limit)

    async def idle_chunks(self, after: bytes, before: float, limit: int) -> list[bytes]:
        return await self._idle(CHUNKS, after, before, limit)

    async def delete_arrays(self, digests: Sequence[bytes], before: float) -> int:
        return await self._delete(ARRAYS, digests, before)

    async def delete_chunks(self, digests: Sequence[bytes], before: float) -> tuple[int, int]:
        sizes: list[dict[str, Any]] = [
            {"$match": {"_id": _among(digests), **_idle_since(before)}},
            {"$group": {"_id": None, "bytes": {"$sum": {"$binarySize": "$data"}}}},
        ]
        rows = await self._read({"aggregate": CHUNKS, "pipeline": sizes, "cursor": {}})
        return await self._delete(CHUNKS, digests, before), int(rows[0]["bytes"]) if rows else 0

    async def _idle(self, collection: str, after: bytes, before: float, limit: int) -> list[bytes]:
        query = {"_id": {"$gt": Binary(after)}, **_idle_since(before)}
        options = {"projection": {"_id": 1}, "sort": {"_id": 1}, "hint": USE.name, "limit": limit}  # the index says all
        return [bytes(row["_id"]) for row in await self._read({"find": collection, "filter": query, **options})]

    async def _delete(self, collection: str, digests: Sequence[bytes], before: float) -> int:
        deletion = {"q": {"_id": _among(digests), **_idle_since(before)}, "limit": 0}
        command = {"delete": collection, "deletes": [deletion], "writeConcern": MAJORITY}
        reply = await self._driver.reading(lambda: self._driver.command(command))  # harmless to repeat
        return int(reply["n"])

    # --- both ---------------------------------------------------------------------------------------------------------

    async def _put(self, collection: str, digest: bytes, fields: dict[str, Any], size: int) -> None:
        mark = {"used": datetime.now(UTC)}
        update = {"q": {"_id": Binary(digest)}, "u": {"$setOnInsert": fields, "$set": mark}, "upsert": True}
        await self._puts.put(collection, update, size + _BYTES_BESIDE)

    async def _get(self, collection: str, digest: bytes) -> Document | None:
        command = {"find": collection, "filter": {"_id": Binary(digest)}, "limit": 1, "singleBatch": True}

        async def read() -> Document | None:
            reply = await self._driver.short_command({**command, "readConcern": _MAJORITY_READ})
            rows: list[Document] = reply["cursor"]["firstBatch"]
            return rows[0] if rows else None

        return await self._driver.to_its_end(self._driver.reading(read))

    async def _read(self, command: Mapping[str, Any]) -> list[Document]:
        full = {**command, "readConcern": _MAJORITY_READ}
        return await self._driver.reading(lambda: all_documents(self._driver, full))


def renewal(digests: Sequence[bytes]) -> Document:
    """Give the command that renews the marks of arrays in a transaction, which so conflicts with a sweep of them.

    It finds as many as there are digests, unless one is not stored.
    """
    update = {"q": {"_id": _among(digests)}, "u": {"$set": {"used": datetime.now(UTC)}}, "multi": True}
    return {"update": ARRAYS, "updates": [update]}


async def missing(driver: Driver, digests: Sequence[bytes]) -> ArrayMissing:
    """Find out which of some arrays is not stored."""
    there = {bytes(row["_id"]) async for row in driver.collection(ARRAYS).find({"_id": _among(digests)}, {"_id": 1})}
    return ArrayMissing(next((digest for digest in digests if digest not in there), digests[0]))


def _among(digests: Iterable[bytes]) -> dict[str, Any]:
    return {"$in": [Binary(digest) for digest in digests]}


def _idle_since(before: float) -> dict[str, Any]:
    # What an earlier version stored has no mark: old as well.
    return {"used": {"$not": {"$gte": datetime.fromtimestamp(before, UTC)}}}


def _manifest(found: Document) -> ArrayManifest:
    chunks = tuple(bytes(chunk) for chunk in found["chunks"])
    return ArrayManifest(bytes(found["_id"]), found["dtype"], int(found["length"]), chunks)
