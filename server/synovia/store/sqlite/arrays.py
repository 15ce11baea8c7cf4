"""Chunks and manifests of arrays, in the same file as the documents."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from synovia import charges
from synovia.store.base import ArrayManifest, StoreUnavailable
from synovia.store.put import Put
from synovia.store.sqlite.connection import transaction
from synovia.store.sqlite.steps import Step, StepRow, take

Result = TypeVar("Result")
_DIGEST_BYTES = 32
_TOGETHER: Final = 16
"""So many are stored by one statement at most: whoever waits for the thread waits for all of it."""

_CHUNKS: Final = "chunks"
_MANIFESTS: Final = "manifests"

_IDLE: Final = "SELECT digest FROM uses WHERE kind = ? AND digest > ? AND used < ? ORDER BY digest LIMIT ?"
_IS_STORED: Final = "SELECT 1 FROM manifests WHERE digest = ?"
_IS_IDLE: Final = "SELECT 1 FROM uses WHERE kind = ? AND digest = ? AND used < ?"


class Run(Protocol):
    """Runs work in the database's thread."""

    def __call__(self, work: Callable[[sqlite3.Connection], Result], /) -> Awaitable[Result]: ...


@dataclass(slots=True, eq=False)
class _Put(Put):
    """Something to store, and who pays for it, by its size."""

    step: StepRow
    charge: charges.Charge | None


class SQLiteArrays:
    """The array store of a ``SQLiteStore``.

    When something was last used is kept apart from it: SQLite writes a row anew as a whole, and chunks are long.
    """

    def __init__(self, run: Run, clock: Callable[[], float]) -> None:
        self._run = run
        self._clock = clock
        self._waiting = deque[_Put]()
        self._storing: asyncio.Task[None] | None = None

    async def put_chunk(self, digest: bytes, data: bytes | memoryview) -> None:
        """Store one chunk, or renew its mark."""
        await self._put((Step.CHUNK, digest, sqlite3.Binary(data), self._clock()), len(data))

    async def get_chunk(self, digest: bytes) -> bytes | None:
        """Read one chunk, None if there is none of this digest."""
        row = await self._first("SELECT data FROM chunks WHERE digest = ?", (digest,))
        return None if row is None else bytes(row[0])

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        """Store a manifest whose chunks are stored already, or renew its mark."""
        fields = manifest.digest, manifest.dtype, manifest.length, b"".join(manifest.chunks)
        await self._put((Step.MANIFEST, *fields, self._clock()), _DIGEST_BYTES * (len(manifest.chunks) + 1))

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        """Read a manifest, None if there is none of this digest."""
        row = await self._first("SELECT digest, dtype, length, chunks FROM manifests WHERE digest = ?", (digest,))
        return None if row is None else _manifest(row)

    # --- sweeping -----------------------------------------------------------------------------------------------------

    async def manifests(self, after: bytes, limit: int) -> list[ArrayManifest]:
        """Read manifests in the order of their digests."""
        statement = "SELECT digest, dtype, length, chunks FROM manifests WHERE digest > ? ORDER BY digest LIMIT ?"
        return [_manifest(row) for row in await self._all(statement, (after, limit))]

    async def idle_arrays(self, after: bytes, before: float, limit: int) -> list[bytes]:
        """List arrays last used before a time, in the order of their digests."""
        return [row[0] for row in await self._all(_IDLE, (_MANIFESTS, after, before, limit))]

    async def idle_chunks(self, after: bytes, before: float, limit: int) -> list[bytes]:
        """List chunks last used before a time, in the order of their digests."""
        return [row[0] for row in await self._all(_IDLE, (_CHUNKS, after, before, limit))]

    async def delete_arrays(self, digests: Sequence[bytes], before: float) -> int:
        """Delete those manifests that have not been used since ``before``; tell how many."""

        def work(database: sqlite3.Connection) -> int:
            with transaction(database):
                idle = _still_idle(database, _MANIFESTS, digests, before)
                return sum(_delete(database, _MANIFESTS, digest) for digest in idle)

        return await self._run(work)

    async def delete_chunks(self, digests: Sequence[bytes], before: float) -> tuple[int, int]:
        """Delete those chunks that have not been used since ``before``; tell how many, and their bytes."""

        def work(database: sqlite3.Connection) -> tuple[int, int]:
            with transaction(database):
                idle = _still_idle(database, _CHUNKS, digests, before)
                size = sum(_size(database, digest) for digest in idle)
                return sum(_delete(database, _CHUNKS, digest) for digest in idle), size

        return await self._run(work)

    async def _put(self, step: StepRow, size: int) -> None:
        put = _Put(step, charges.current(), size=size)
        self._waiting.append(put)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store(), name="storing")
        await put.done

    async def _store(self) -> None:
        """Store what waits, and what comes meanwhile: all that has come by then with one visit to the database's thread."""
        try:
            while self._waiting:
                await self._store_some([self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))])
        finally:
            self._storing = None
            while self._waiting:
                self._waiting.popleft().end(StoreUnavailable("the store was closed"))

    async def _store_some(self, puts: Sequence[_Put]) -> None:
        payers = [(put.charge, float(put.size)) for put in puts if put.charge is not None]
        size = sum(put.size for put in puts)
        try:
            with charges.charged(charges.Shared(payers, size) if payers else None):
                await self._run(lambda database: take(database, 0, [put.step for put in puts], size))
        except asyncio.CancelledError:
            for put in puts:
                put.end(StoreUnavailable("the store was closed"))
            raise
        except Exception as error:
            for put in puts:
                put.end(error)
        else:
            for put in puts:
                put.end()

    async def _first(self, statement: str, parameters: tuple[Any, ...]) -> Any:
        return await self._run(lambda database: database.execute(statement, parameters).fetchone())

    async def _all(self, statement: str, parameters: tuple[Any, ...]) -> list[Any]:
        return await self._run(lambda database: database.execute(statement, parameters).fetchall())


def first_missing(database: sqlite3.Connection, digests: Iterable[bytes]) -> bytes:
    """Give the least digest of those arrays that are not stored; at least one is not."""
    return next(each for each in sorted(digests) if database.execute(_IS_STORED, (each,)).fetchone() is None)


def _still_idle(database: sqlite3.Connection, kind: str, digests: Sequence[bytes], before: float) -> list[bytes]:
    return [digest for digest in digests if database.execute(_IS_IDLE, (kind, digest, before)).fetchone()]


def _delete(database: sqlite3.Connection, kind: str, digest: bytes) -> int:
    database.execute("DELETE FROM uses WHERE kind = ? AND digest = ?", (kind, digest))
    return database.execute(f"DELETE FROM {kind} WHERE digest = ?", (digest,)).rowcount


def _size(database: sqlite3.Connection, digest: bytes) -> int:
    row = database.execute("SELECT length(data) FROM chunks WHERE digest = ?", (digest,)).fetchone()
    return row[0] if row else 0


def _manifest(row: Any) -> ArrayManifest:
    digest, dtype, length, joined = row
    chunks = tuple(joined[start : start + _DIGEST_BYTES] for start in range(0, len(joined), _DIGEST_BYTES))
    return ArrayManifest(bytes(digest), dtype, length, chunks)
