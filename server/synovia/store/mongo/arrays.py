"""Chunks and manifests as documents of two collections of their own."""

from __future__ import annotations

from typing import Any

from bson import Binary

from synovia.store.base import ArrayManifest, Document
from synovia.store.mongo.catalog import ARRAYS, CHUNKS
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.schema import MAJORITY


class MongoArrays:
    """Content-addressed arrays; what is stored once never changes."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def put_chunk(self, digest: bytes, data: bytes) -> None:
        await self._put(CHUNKS, digest, {"data": Binary(data)})

    async def get_chunk(self, digest: bytes) -> bytes | None:
        found = await self._get(CHUNKS, digest)
        return None if found is None else bytes(found["data"])

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        chunks = [Binary(chunk) for chunk in manifest.chunks]
        fields = {"dtype": manifest.dtype, "length": manifest.length, "chunks": chunks}
        await self._put(ARRAYS, manifest.digest, fields)

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        found = await self._get(ARRAYS, digest)
        if found is None:
            return None
        chunks = tuple(bytes(chunk) for chunk in found["chunks"])
        return ArrayManifest(digest, found["dtype"], int(found["length"]), chunks)

    async def _put(self, collection: str, digest: bytes, fields: dict[str, Any]) -> None:
        update = {"q": {"_id": Binary(digest)}, "u": {"$setOnInsert": fields}, "upsert": True}
        command = {"update": collection, "updates": [update], "writeConcern": MAJORITY}
        await self._driver.reading(lambda: self._driver.command(command))  # harmless to repeat

    async def _get(self, collection: str, digest: bytes) -> Document | None:
        command = {
            "find": collection,
            "filter": {"_id": Binary(digest)},
            "limit": 1,
            "readConcern": {"level": "majority"},
        }
        rows = await self._driver.reading(lambda: self._driver.rows(command))
        return rows[0] if rows else None
