"""Documents of an export into a store: what is there already stays as it is, so twice is once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import bson
from bson.errors import BSONError

from synovia.export.errors import ExportError
from synovia.export.lines import BadLine
from synovia.schema import Document
from synovia.schema.misfits import id_text
from synovia.store.base import ArrayMissing, Batch, Conflict, Store, UniqueViolation, Write

MOST_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_BATCH_DOCUMENTS: Final = 500
_BATCH_BYTES: Final = 4 * 1024 * 1024
_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A document, and where in the export it stands."""

    place: str
    document: Document
    bytes: int


@dataclass(slots=True)
class Imported:
    """What became of the documents of a table.

    Attributes:
        table: Its name.
        made: How many documents were inserted.
        there: How many were there already.
        changed: How many of these are not as in the export; they were left as they are.
    """

    table: str
    made: int = 0
    there: int = 0
    changed: int = 0


def is_too_large(line: bytes) -> bool:
    """Tell of a line, before it is read, that no database takes it.

    Read, its lists and maps could take dozens of times its bytes. In BSON each comma and each bracket has at least one byte.
    """
    return len(line) > MOST_DOCUMENT_BYTES and sum(map(line.count, (b",", b"[", b"{"))) > MOST_DOCUMENT_BYTES


def size_of(document: Document) -> int:
    """Tell how many bytes a document has.

    Raises:
        BadLine: No database takes it.
    """
    try:
        size = len(bson.encode(document))
    except (BSONError, OverflowError, UnicodeError) as error:
        raise BadLine(f"{id_text(document['_id'])} cannot be stored: {error}") from None
    if size > MOST_DOCUMENT_BYTES:
        raise BadLine(f"{id_text(document['_id'])} has {size:,} bytes; {MOST_DOCUMENT_BYTES:,} are allowed")
    return size


def batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Give documents, so many together as go into one transaction.

    Raises:
        ExportError: An id is there twice.
    """
    batch: dict[str, Line] = {}
    size = 0
    for line in lines:
        id_ = repr(line.document["_id"])
        if id_ in batch:
            raise ExportError(f"{line.place}: {line.document['_id']} is the _id of {batch[id_].place} too")
        if batch and (len(batch) == _BATCH_DOCUMENTS or size + line.bytes > _BATCH_BYTES):
            yield [*batch.values()]
            batch, size = {}, 0
        batch[id_] = line
        size += line.bytes
    if batch:
        yield [*batch.values()]


async def insert(
    store: Store, table: str, lines: Sequence[Line], found: Imported, *, clock: int = 0, look_first: bool = True
) -> None:
    """Insert those documents of a batch that are not there.

    Args:
        clock: A reading after which new ids are made.
        look_first: Whether some of them may be there.

    Raises:
        ExportError: A document has a key that another one has in a unique index, or refers to an array that is not there.
        StoreError: The database does not take it.
    """
    for attempt in range(_ATTEMPTS):
        if look_first or attempt:
            ts, _ = await store.newest()
            present = await store.snapshot(ts).get(table, [line.document["_id"] for line in lines])
        else:
            present = [None] * len(lines)
        lacking = [line for line, document in zip(lines, present, strict=True) if document is None]
        try:
            await _commit(store, table, lacking, clock)
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
            continue  # a hub was faster, or they are there: look again
        found.made += len(lacking)
        found.there += len(lines) - len(lacking)
        found.changed += sum(
            document is not None and bson.encode(document) != bson.encode(line.document)
            for line, document in zip(lines, present, strict=True)
        )
        return


async def _commit(store: Store, table: str, lines: Sequence[Line], clock: int) -> None:
    if not lines:
        return
    try:
        writes = [Write(table, line.document["_id"], None, line.document) for line in lines]
        await store.commit(Batch(writes, clock=clock))
    except (UniqueViolation, ArrayMissing) as error:
        if len(lines) == 1:
            raise ExportError(f"{lines[0].place}: {error}") from error
        half = len(lines) // 2
        await _commit(store, table, lines[:half], clock)
        await _commit(store, table, lines[half:], clock)
