"""Chunks and manifests of arrays, in the same file as the documents."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from synovia.store.base import ArrayManifest

_DIGEST_BYTES = 32

Execute = Callable[[str, tuple[Any, ...]], Awaitable[Any]]
"""Runs one statement in the database's thread, durably, and gives its first row."""


class SQLiteArrays:
    """The array store of a ``SQLiteStore``."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    async def put_chunk(self, digest: bytes, data: bytes) -> None:
        """Store one chunk durably; storing the same chunk again does nothing."""
        await self._execute("INSERT OR IGNORE INTO chunks (digest, data) VALUES (?, ?)", (digest, sqlite3.Binary(data)))

    async def get_chunk(self, digest: bytes) -> bytes | None:
        """Read one chunk, None if there is none of this digest."""
        row = await self._execute("SELECT data FROM chunks WHERE digest = ?", (digest,))
        return None if row is None else bytes(row[0])

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        """Store a manifest whose chunks are stored already; storing the same again does nothing."""
        await self._execute(
            "INSERT OR IGNORE INTO manifests (digest, dtype, length, chunks) VALUES (?, ?, ?, ?)",
            (manifest.digest, manifest.dtype, manifest.length, b"".join(manifest.chunks)),
        )

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        """Read a manifest, None if there is none of this digest."""
        row = await self._execute("SELECT dtype, length, chunks FROM manifests WHERE digest = ?", (digest,))
        if row is None:
            return None
        dtype, length, joined = row
        return ArrayManifest(digest, dtype, length, _split(joined))


def _split(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[start : start + _DIGEST_BYTES] for start in range(0, len(joined), _DIGEST_BYTES))
