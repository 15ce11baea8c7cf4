"""Reading all that a command finds: batches are taken as the server sends them, and decoded a few documents at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final

from bson import decode, decode_all
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from synovia.schema.specs import Document, Undecodable
from synovia.store.base import StoreUnavailable
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
_CLOSE_SECONDS: Final = 5.0

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
    """Give what a cursor finds, some at a time, none of it decoded; a cursor that is left before its end is closed.

    Who stops waiting for a batch does not interrupt the driver: that would cost it a connection of those that all share.
    """
    cursor = _Cursor(driver)
    try:
        yield await cursor.ask(command)
        while cursor.number:
            yield await cursor.ask(
                {"getMore": cursor.number, "collection": cursor.collection, "batchSize": cursor.more}
            )
    finally:
        await cursor.leave()


class _Cursor:
    """A cursor at the server.

    Attributes:
        number: Its id; 0 if it has come to its end, or not been opened yet.
        more: How many documents to ask for next.
    """

    def __init__(self, driver: Driver) -> None:
        self.number = 0
        self.collection = ""
        self.more = FIRST_BATCH
        self._driver = driver
        self._session: Any = None
        self._asking: asyncio.Task[Batch] | None = None

    async def ask(self, command: Mapping[str, Any]) -> Batch:
        """Run a command on the cursor's session, and give the batch of its answer."""
        self._asking = asyncio.create_task(self._ask(command), name="batch")
        try:
            return await asyncio.shield(self._asking)
        finally:
            if self._asking.done():
                self._asking = None

    async def _ask(self, command: Mapping[str, Any]) -> Batch:
        if self._session is None:
            self._session = await self._driver.begin_session()
        if not self.number:
            reply = await self._driver.command(command, session=self._session, codec=RAW)
        else:
            async with self._driver.long_reads:
                reply = await self._driver.command(command, session=self._session, codec=RAW)
            await Turns(1).step()  # to look where they begin takes as long as to decode some, so one cursor at a time
        cursor = reply["cursor"]
        self.number, self.collection = cursor["id"], cursor["ns"].partition(".")[2]
        batch: Batch = cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]
        self.more = max(1, min(LARGEST_BATCH, BATCH_BYTES // _average(batch)))
        return batch

    async def leave(self) -> None:
        """End it; if it is not at its end, in the background, after the answer that may be under way."""
        if self.number or self._asking is not None:
            self._driver.in_background(self._close(), "close cursor")
        elif self._session is not None:
            await self._session.end_session()

    async def _close(self) -> None:
        with suppress(PyMongoError, StoreUnavailable, TimeoutError):  # the server ends it by itself, but later
            async with asyncio.timeout(_CLOSE_SECONDS):
                if self._asking is not None:
                    await self._asking
                if self.number:
                    kill = {"killCursors": self.collection, "cursors": [self.number]}
                    await self._driver.command(kill, session=self._session)
        if self._session is not None:
            await self._session.end_session()


def _parts(batch: Batch) -> Sequence[Batch]:
    """Cut a batch into parts that are quickly decoded."""
    step = max(1, min(DECODED_AT_ONCE, _DECODED_BYTES // _average(batch)))
    return [batch[start : start + step] for start in range(0, len(batch), step)]


def _average(batch: Batch) -> int:
    """Give the bytes of a document, on average."""
    return max(1, sum(len(each.raw) for each in batch) // max(1, len(batch)))
