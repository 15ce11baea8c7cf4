"""A database at one instant into a file, while others write on."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import time
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Literal

import bson

from synovia import keys
from synovia.export import tar
from synovia.export.lines import line_of
from synovia.export.manifest import NAME, ArrayContents, Manifest, TableContents, can_be_table, folder_of
from synovia.files.key import FILE_KEYS
from synovia.functions.shared_tables import SHARED_TABLES
from synovia.keys import AFTER, BY_ID, Interval
from synovia.schema.specs import Document, TableSpec, Undecodable
from synovia.store.arrays import stream_range
from synovia.store.base import ArrayManifest, Snapshot, Store
from synovia.store.references import Digests, references_of
from synovia_protocol.arrays import ITEM_BYTES
from synovia_protocol.version import __version__

logger = logging.getLogger("synovia")

FIRST_PAGE: Final = 8
LARGEST_PAGE: Final = 500
PAGE_BYTES: Final = 8 * 1024 * 1024
"""What the documents that are read at a time may have; the first ones tell how many that are."""
PART_BYTES: Final = 8 * 1024 * 1024
"""Bytes of lines after which a new part begins."""
_MANIFESTS: Final = 100
_LEVEL: Final = 4
SYSTEM_IN_EXPORTS: Final = frozenset({"_audit", "_migrations", "_seeds", *(each.spec.name for each in SHARED_TABLES)})
"""Of the tables that Synovia itself keeps an export has these; others belong to one installation, and are in backups."""
IMPORTS: Final = TableSpec("_imports")
"""The table that says which import has begun and not ended; no export has it."""


@dataclass(slots=True)
class Progress:
    """How far an export or an import is.

    Attributes:
        documents: So many are done.
        arrays: So many are done.
        bytes: Of the elements of these.
        table: The table that is being done; empty: arrays are.
    """

    documents: int = 0
    arrays: int = 0
    bytes: int = 0
    table: str = ""


Told = Callable[[Progress], None]


async def export_store(
    store: Store, file: BinaryIO, *, kind: Literal["export", "backup"] = "export", told: Told = lambda _: None
) -> Manifest:
    """Write all of a database as of now.

    Args:
        store: It is open.
        file: Written from its beginning to its end, without seeking.
        kind: Whether to write what belongs to this installation, too.
        told: Called now and then.

    Raises:
        SnapshotTooOld: It took longer than the database keeps the instant.
        StoreError: It failed on the way.
        OSError: The file cannot be written.
    """
    ts, _ = await store.newest()
    writing = _Writing(store, store.snapshot(ts), file, told)
    clock, at = await store.clock(), int(time.time() * 1000)
    names = sorted(name for name in await store.tables() if is_in(name, kind))
    for name in [name for name in names if not can_be_table(name)]:
        logger.warning("%r is another program's, as no table has such a name: it is left out", name)
        names.remove(name)
    tables = {name: await writing.table(name) for name in names}
    arrays = await writing.arrays()
    manifest = Manifest(
        synovia=__version__, kind=kind, store="mongodb" if store.shared else "sqlite", ts=ts, at=at, clock=clock,
        tables=tables, arrays=arrays,
    )  # fmt: skip
    await writing.member(NAME, manifest.as_json())
    await writing.write(tar.end())
    return manifest


def is_in(table: str, kind: Literal["export", "backup"]) -> bool:
    """Tell whether a file of that kind has a table."""
    if table in (
        IMPORTS.name,
        FILE_KEYS.name,
    ):  # an address that was handed out before says nothing of a restored database
        return False
    return kind == "backup" or table in SYSTEM_IN_EXPORTS or not TableSpec(table).system


async def documents_of(snapshot: Snapshot, table: str) -> AsyncGenerator[list[Document], None]:
    """Give all documents of a table in the order of their ids, as many at a time as memory may hold."""
    rest, limit = keys.prefix([]), FIRST_PAGE
    while page := await snapshot.scan(table, BY_ID, rest, limit=limit):
        yield page
        rest = Interval(keys.encode([page[-1]["_id"]]) + bytes([AFTER]), rest.high)
        largest = max(map(_size_of, page))
        limit = max(1, min(LARGEST_PAGE, 2 * limit, PAGE_BYTES // max(largest, 1)))


def _size_of(document: Document) -> int:
    return 0 if isinstance(document, Undecodable) else len(bson.encode(document))


@dataclass(slots=True)
class _Writing:
    store: Store
    snapshot: Snapshot
    file: BinaryIO
    told: Told
    progress: Progress = field(default_factory=Progress)
    needed: Digests = field(default_factory=Digests)
    seconds: int = field(default_factory=lambda: int(time.time()))

    async def table(self, name: str) -> TableContents:
        """Write the documents of a table."""
        self.progress.table = name
        parts, unreadable = Parts(), 0
        async with aclosing(documents_of(self.snapshot, name)) as pages:
            async for page in pages:
                sound = [document for document in page if not isinstance(document, Undecodable)]
                unreadable += len(page) - len(sound)
                await self._write(name, await asyncio.to_thread(self._add, parts, sound))
                self.progress.documents += len(sound)
                self.told(self.progress)
        await self._write(name, await asyncio.to_thread(parts.end))
        return TableContents(
            documents=parts.documents, sha256=parts.digest.hexdigest(), parts=parts.number, unreadable=unreadable
        )

    def _add(self, parts: Parts, documents: Sequence[Document]) -> list[tuple[int, bytes]]:
        self.needed.add(itertools.chain.from_iterable(map(references_of, documents)))
        return [part for document in documents for part in parts.add(line_of(document))]

    async def _write(self, table: str, parts: Iterable[tuple[int, bytes]]) -> None:
        for number, data in parts:
            await self.member(part_name(table, number), data)

    async def arrays(self) -> ArrayContents:
        """Write the arrays to which the documents refer."""
        count, size, digests, written, after = 0, 0, hashlib.sha256(), Digests(), b""
        self.progress.table = ""
        while page := await self.store.arrays.manifests(after, _MANIFESTS):
            after = page[-1].digest
            unneeded = set(self.needed.without(each.digest for each in page))
            wanted = [each for each in page if each.digest not in unneeded]
            for each in wanted:
                size += await self._array(each)
                digests.update(each.digest)
            count += len(wanted)
            written.add(each.digest for each in wanted)
        missing = self.needed.lacking(written)
        return ArrayContents(count=count, bytes=size, sha256=digests.hexdigest(), missing=missing)

    async def _array(self, manifest: ArrayManifest) -> int:
        size = manifest.length * ITEM_BYTES[manifest.dtype]
        await self.write(tar.header(array_name(manifest.digest, manifest.dtype), size, self.seconds))
        async for piece in stream_range(self.store.arrays, manifest):
            await self.write(piece)
            self.progress.bytes += len(piece)
            self.told(self.progress)
        await self.write(tar.padding(size))
        self.progress.arrays += 1
        return size

    async def member(self, name: str, data: bytes) -> None:
        """Write a file of the tar."""
        await self.write(tar.header(name, len(data), self.seconds) + data + tar.padding(len(data)))

    async def write(self, data: bytes | memoryview) -> None:
        """Write on; the disk may be slow, and others have the loop meanwhile."""
        await asyncio.to_thread(self.file.write, data)


class Parts:
    """The lines of a table, compressed (gzip) and cut into files.

    Attributes:
        documents: How many lines there were.
        number: How many files they made.
        digest: Of all lines.
    """

    def __init__(self) -> None:
        self.documents = self.number = 0
        self.digest = hashlib.sha256()
        self._begin()

    def _begin(self) -> None:
        self._gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        self._done: list[bytes] = []
        self._size = 0

    def add(self, line: bytes) -> Iterator[tuple[int, bytes]]:
        """Take a line; give a file with its number if one is full now."""
        self.documents += 1
        self.digest.update(line)
        self._done.append(self._gzip.compress(line))
        self._size += len(line)
        if self._size >= PART_BYTES:
            yield from self.end()

    def end(self) -> list[tuple[int, bytes]]:
        """Give what is left, if there is anything."""
        if not self._size:
            return []
        self.number += 1
        file = self.number, b"".join((*self._done, self._gzip.flush()))
        self._begin()
        return [file]


def part_name(table: str, number: int) -> str:
    """Name the file with some documents of a table."""
    return f"documents/{folder_of(table)}/{number:06}.jsonl.gz"


def array_name(digest: bytes, dtype: str) -> str:
    """Name the file with the elements of an array."""
    return f"arrays/{digest.hex()}.{dtype}"
