"""Reading all that a command finds: batches are taken as the server sends them, and decoded a few documents at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from bson import decode, decode_all
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from synovia.schema.specs import Document, Undecodable
from synovia.store.mongo.driver import CODEC, RAW, Driver
from synovia.turns import Turns

FIRST_BATCH: Final = 100
"""So many documents are asked for at first, when nobody knows how large they are."""
LARGEST_BATCH: Final = 500
BATCH_BYTES: Final = 512 * 1024
"""About so many bytes are asked for at a time from then on."""
DECODED_AT_ONCE: Final = 32
"""So many documents are decoded between two looks at the clock; fewer if they are large."""
_DECODED_BYTES: Final = 64 * 1024

Batch = Sequence[RawBSONDocument]


async def all_documents(driver: Driver, command: Mapping[str, Any]) -> list[Document]:
    """Run a command that answers with a cursor, and give all its documents.

    Raises:
        BSONError: One of them cannot be decoded.
    """
    found, turns = list[Document](), Turns(1)
    async with aclosing(batches(driver, command)) as each:
        async for batch in each:
            for part in _parts(batch):
                if found:  # others have their turn first
                    await turns.step()
                found += decode_all(b"".join([one.raw for one in part]), CODEC)
    return found


async def documents_one_by_one(driver: Driver, command: Mapping[str, Any]) -> list[Document]:
    """Give all documents that a find command finds though some cannot be decoded: these as ``Undecodable``."""
    ids = await all_documents(driver, {**command, "projection": {"_id": 1}})
    async with aclosing(batches(driver, command)) as each:
        raw = [one.raw async for batch in each for one in batch]
    turns, found = Turns(), list[Document]()
    for id_, document in zip(ids, raw, strict=True):
        found.append(_decoded(id_["_id"], bytes(document)))
        await turns.step()
    return found


def _decoded(id_: Any, raw: bytes) -> Document:
    try:
        return decode(raw, CODEC)
    except BSONError as error:
        return Undecodable(id_, f"it cannot be decoded: {error}")


async def batches(driver: Driver, command: Mapping[str, Any]) -> AsyncGenerator[Batch, None]:
    """Give what a cursor finds, some at a time, none of it decoded; a cursor that is left before its end is closed."""
    async with driver.session() as session:
        cursor = (await driver.command(command, session=session, codec=RAW))["cursor"]
        number, batch, collection = cursor["id"], cursor["firstBatch"], cursor["ns"].partition(".")[2]
        try:
            yield batch
            while number:
                more = {"getMore": number, "collection": collection, "batchSize": _next_size(batch)}
                cursor = (await driver.command(more, session=session, codec=RAW))["cursor"]
                number, batch = cursor["id"], cursor["nextBatch"]
                yield batch
        finally:
            if number:
                driver.close_cursor(collection, number)


def _next_size(batch: Batch) -> int:
    return max(1, min(LARGEST_BATCH, BATCH_BYTES // _average(batch)))


def _parts(batch: Batch) -> Sequence[Batch]:
    """Cut a batch into parts that are quickly decoded."""
    step = max(1, min(DECODED_AT_ONCE, _DECODED_BYTES // _average(batch)))
    return [batch[start : start + step] for start in range(0, len(batch), step)]


def _average(batch: Batch) -> int:
    """Give the bytes of a document, on average."""
    return max(1, sum(len(each.raw) for each in batch) // max(1, len(batch)))
