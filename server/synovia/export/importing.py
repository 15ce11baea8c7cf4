"""An export into a store: arrays first, then documents; killed and run again, it goes on without doing anything twice."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from synovia.export.archive import Archive, ArrayFile
from synovia.export.checking import documents
from synovia.export.errors import ExportError, ImportRefused
from synovia.export.inserting import Imported, batches, insert
from synovia.export.manifest import Manifest
from synovia.export.writing import IMPORTS, Progress, Told, export_store
from synovia.keys import BY_ID, prefix
from synovia.store.base import ArrayManifest, Batch, Store, Write
from synovia.store.contents import first_table_with_documents
from synovia_protocol.arrays import array_digest, chunk_digest

_AT_ONCE: Final = 8
"""So many chunks are on their way to the database: 2 MiB."""


@dataclass(slots=True)
class ImportResult:
    """What an import has done.

    Attributes:
        tables: What became of each table.
        arrays: How many arrays were written.
        arrays_there: How many were there already.
        resumed: Whether it went on where an earlier one had ended.
    """

    tables: list[Imported] = field(default_factory=list)
    arrays: int = 0
    arrays_there: int = 0
    resumed: bool = False


ELSEWHERE: Final = "import into an empty one, or with --into-existing, which leaves what is there as it is"


async def import_archive(
    archive: Archive,
    store: Store,
    *,
    skip: Sequence[str] = (),
    into_existing: bool = False,
    told: Told = lambda _: None,
    where_else: str = ELSEWHERE,
) -> ImportResult:
    """Write an export that has been checked into a database.

    Args:
        store: It is open, and knows the tables and ``IMPORTS``.
        skip: Tables that are left out.
        into_existing: Whether it may hold documents already; those stay as they are.
        told: Called now and then.
        where_else: What to do if it holds documents and may not: the end of that error.

    Raises:
        ImportRefused: It holds documents, or an import of another file has not ended.
        ExportError: A document has a key that another one has in a unique index.
        StoreError: The database does not take it; import it again, it goes on from there.
    """
    mark = hashlib.sha256(archive.manifest_bytes).hexdigest()
    resumed = await _begin(store, mark, archive, into_existing, where_else)
    done, progress = ImportResult(resumed=resumed), Progress()
    look_first = resumed or into_existing
    async for is_new in _write_arrays(archive, store, look_first, progress):
        done.arrays += is_new
        done.arrays_there += not is_new
        told(progress)
    for table in archive.manifest.tables:
        if table in skip:
            continue
        done.tables.append(found := Imported(table))
        progress.table = table
        rest = batches(documents(archive, table))
        while (lines := await asyncio.to_thread(next, rest, None)) is not None:
            clock = archive.manifest.clock
            await insert(store, table, lines, found, clock=clock, look_first=look_first or table.startswith("_"))
            progress.documents += len(lines)
            told(progress)
    await _end(store, mark)
    return done


# --- whether it may -----------------------------------------------------------------------------------------------------


async def _begin(store: Store, mark: str, archive: Archive, into_existing: bool, where_else: str) -> bool:
    """Write down that an import begins; tell whether it had begun already."""
    ts, _ = await store.newest()
    begun = await store.snapshot(ts).scan(IMPORTS.name, BY_ID, prefix([]), limit=1)
    if begun and begun[0]["_id"] == mark:
        return True
    if begun:
        raise ImportRefused(
            f"an import of another file ({begun[0].get('file')}) has not ended in this database: run it again, or reset it"
        )
    if not into_existing and (table := await first_table_with_documents(store)):
        raise ImportRefused(f"the database holds documents already (of {table}): {where_else}")
    document = {"_id": mark, "file": archive.path.name, "at": int(time.time() * 1000)}
    await store.commit(Batch([Write(IMPORTS.name, mark, None, document)]))
    return False


async def _end(store: Store, mark: str) -> None:
    ts, _ = await store.newest()
    [begun] = await store.snapshot(ts).get(IMPORTS.name, [mark])
    if begun is not None:
        await store.commit(Batch([Write(IMPORTS.name, mark, begun, None)]))


# --- arrays -----------------------------------------------------------------------------------------------------------


async def _write_arrays(archive: Archive, store: Store, look_first: bool, progress: Progress) -> AsyncIterator[bool]:
    """Write the arrays; give of each whether it was not there."""
    arrays = archive.arrays()
    while (array := await asyncio.to_thread(next, arrays, None)) is not None:
        there = await store.arrays.get_manifest(array.digest) if look_first else None
        if there is not None:
            await store.arrays.put_manifest(there)  # used again: the sweep leaves it alone
        else:
            await _write_array(archive, store, array)
        progress.arrays += 1
        progress.bytes += array.member.size
        yield there is None


async def _write_array(archive: Archive, store: Store, array: ArrayFile) -> None:
    digests: list[bytes] = []
    ahead: deque[asyncio.Task[None]] = deque()
    chunks = archive.chunks(array)
    try:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            digests.append(chunk_digest(chunk))
            if len(ahead) == _AT_ONCE:
                await ahead.popleft()
            ahead.append(asyncio.create_task(store.arrays.put_chunk(digests[-1], chunk)))
        while ahead:
            await ahead.popleft()
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
    if array_digest(array.dtype, digests) != array.digest:
        raise ExportError(f"{array.member.name}: its bytes are not those of this digest")
    await store.arrays.put_manifest(ArrayManifest(array.digest, array.dtype, array.length, tuple(digests)))


# --- afterwards -------------------------------------------------------------------------------------------------------


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: bytes | memoryview) -> int:
        return len(data)


async def differences(store: Store, expected: Manifest, told: Told = lambda _: None) -> list[str]:
    """Read a database as an export would, and tell where it is not as a file says.

    Args:
        store: It is open.
        expected: The manifest of the file.
        told: Called now and then.
    """
    found = await export_store(store, cast(BinaryIO, _Nowhere()), kind=expected.kind, told=told)
    faults = []
    for table, contents in expected.tables.items():
        there = found.tables.get(table)
        if there is None:
            if contents.documents:
                faults.append(f"{table}: not there")
        elif there.documents != contents.documents:
            faults.append(f"{table}: {there.documents:,} documents, not {contents.documents:,}")
        elif there.sha256 != contents.sha256:
            faults.append(f"{table}: {there.documents:,} documents, but not the same ones")
    if found.arrays.sha256 != expected.arrays.sha256:
        faults.append(f"arrays: {found.arrays.count:,}, not {expected.arrays.count:,}, or not the same ones")
    return faults
