"""Documents of an export into a store: what is there already stays as it is, so twice is once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import bson

from synovia.convex_export.archive import Archive, ExportError
from synovia.convex_export.checking import Line, documents
from synovia.store.base import Batch, Conflict, Store, UniqueViolation, Write

_BATCH_DOCUMENTS: Final = 500
_BATCH_BYTES: Final = 4 * 1024 * 1024
_ATTEMPTS: Final = 10


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


async def import_tables(
    archive: Archive, store: Store, tables: Sequence[str], told: Callable[[Imported], None] = lambda _: None
) -> list[Imported]:
    """Insert what is not there yet, some hundred documents in each transaction.

    Args:
        store: It is open, and knows the tables.
        tables: Their names.
        told: Called when a table is done.

    Raises:
        ExportError: A document has a key that another one has in a unique index. What came before it stays; import it
            again when that is mended.
        StoreError: The database does not take it; import it again later.
    """
    done = []
    for table in tables:
        found = Imported(table)
        for lines in batches(archive, table):
            await _insert(store, table, lines, found)
        told(found)
        done.append(found)
    return done


def batches(archive: Archive, table: str) -> Iterator[list[Line]]:
    """Give the documents of a table, so many together as go into one transaction.

    Raises:
        ExportError: As ``documents``, or an id is there twice.
    """
    batch: dict[str, Line] = {}
    size = 0
    for line in documents(archive, table):
        id_ = str(line.document["_id"])
        if id_ in batch:
            raise ExportError(f"{line.place}: {id_} is the _id of {batch[id_].place} too")
        if batch and (len(batch) == _BATCH_DOCUMENTS or size + line.bytes > _BATCH_BYTES):
            yield [*batch.values()]
            batch, size = {}, 0
        batch[id_] = line
        size += line.bytes
    if batch:
        yield [*batch.values()]


async def _insert(store: Store, table: str, lines: Sequence[Line], found: Imported) -> None:
    """Insert those documents of a batch that are not there."""
    for attempt in range(_ATTEMPTS):
        ts, _ = await store.newest()
        present = await store.snapshot(ts).get(table, [line.document["_id"] for line in lines])
        lacking = [line for line, document in zip(lines, present, strict=True) if document is None]
        try:
            await _commit(store, table, lacking)
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
            continue  # a hub was faster: look again
        found.made += len(lacking)
        found.there += len(lines) - len(lacking)
        found.changed += sum(
            document is not None and bson.encode(document) != bson.encode(line.document)
            for line, document in zip(lines, present, strict=True)
        )
        return


async def _commit(store: Store, table: str, lines: Sequence[Line]) -> None:
    if not lines:
        return
    try:
        await store.commit(Batch([Write(table, line.document["_id"], None, line.document) for line in lines]))
    except UniqueViolation as error:
        if len(lines) == 1:
            raise ExportError(f"{lines[0].place}: {error}") from error
        half = len(lines) // 2
        await _commit(store, table, lines[:half])
        await _commit(store, table, lines[half:])
