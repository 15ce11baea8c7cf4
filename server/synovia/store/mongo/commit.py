"""One batch as one transaction.

The fence is advanced *first*. Of two hubs that commit at the same time, MongoDB then lets the first one through and
turns the second away at once: one of them always succeeds, and nothing else is written in vain. The fence document also
tells how many events the transaction makes in the change stream, so that the reader knows when it has all of them (see
``assembly``).
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import bson
from bson import Binary, Int64
from bson.errors import BSONError
from pymongo import ReadPreference
from pymongo.errors import (
    ConnectionFailure,
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from synovia.schema.specs import Document
from synovia.store.base import (
    Batch,
    Conflict,
    DuplicateRequest,
    NothingWritten,
    RequestRecord,
    StoreError,
    StoreUnavailable,
    Ts,
    UniqueViolation,
)
from synovia.store.mongo.abandoned_transactions import Orphans
from synovia.store.mongo.arrays import renew
from synovia.store.mongo.catalog import FENCE, FENCE_ID, REQUESTS, Catalog
from synovia.store.mongo.driver import CODEC, RAW, Driver, pauses, settled
from synovia.store.mongo.errors import DUPLICATE_KEY, is_too_large, translated
from synovia.store.mongo.plan import Piece, TablePlan, plan
from synovia.store.mongo.times import ts_of
from synovia.store.mongo.writes import WriteError, written
from synovia.store.references import added_references

_TRANSACTION: Final[dict[str, Any]] = {
    "read_concern": ReadConcern("snapshot"),
    "write_concern": WriteConcern("majority", j=True),
    "read_preference": ReadPreference.PRIMARY,
}
_AT_ONCE: Final = 250
"""So many operations are encoded at a time: the event loop has other things to do in between."""
_BYTES_AT_ONCE: Final = 4 * 1024 * 1024
_NUMBER: Final = struct.Struct(">q")


def request_id(session: bytes, number: int) -> bytes:
    return session + _NUMBER.pack(number)


class _Raced(Conflict):
    """Another transaction was faster, whatever it wrote."""


class _NotFoundByItself(Exception):
    """A document is as it was read, but the database does not find it so: it holds what drivers read as something else."""


async def commit(driver: Driver, catalog: Catalog, batch: Batch, orphans: Orphans) -> Ts:
    """Write a batch and tell its timestamp; see ``Store.commit``.

    After a lost acknowledgement the timestamp can be a later one than that of the commit, never an earlier one.
    """
    way = _Way()
    try:
        async with asyncio.timeout(driver.timeout) as deadline:
            ts = await _attempts(driver, catalog, batch, orphans, deadline, way)
        orphans.moved()
        return ts
    except Conflict:
        await orphans.conflicted()
        raise
    except (PyMongoError, BSONError, TimeoutError) as error:
        raise way.judged(translated(error)) from error


@dataclass(slots=True)
class _Way:
    """How far a batch has come in all its attempts."""

    asked_to_commit: bool = False

    def judged(self, error: StoreError) -> StoreError:
        """Say of an error that passes whether something may have been written."""
        if self.asked_to_commit or not isinstance(error, StoreUnavailable) or not error.passing:
            return error
        return NothingWritten(str(error))


async def _attempts(
    driver: Driver, catalog: Catalog, batch: Batch, orphans: Orphans, deadline: asyncio.Timeout, way: _Way
) -> Ts:
    """Try until an attempt has reached the database: one that fails before the commit has written nothing."""
    by_reading = len(batch.writes) > _AT_ONCE  # of many that takes the server half the time
    for pause in pauses(deadline):
        plans = await _planned(batch, catalog, by_reading=by_reading)
        try:
            return await _Transaction(driver, catalog, batch, plans, way).run(deadline)
        except ConnectionFailure:
            await asyncio.sleep(pause)
        except _Raced:
            if batch.fence is not None:
                raise
            await orphans.conflicted()
            await asyncio.sleep(random.uniform(0, pause))  # nothing was to be validated but the documents themselves
        except _NotFoundByItself:
            by_reading = True
        except (DocumentTooLarge, OperationFailure) as error:
            if by_reading or not is_too_large(error):
                raise
            by_reading = True
    raise AssertionError("pauses never end")


async def _planned(batch: Batch, catalog: Catalog, *, by_reading: bool) -> Sequence[TablePlan]:
    """Lay out a batch; a large one in a thread, as the event loop has other things to do."""
    if len(batch.writes) <= _AT_ONCE:
        return plan(batch, catalog, by_reading=by_reading)
    return await asyncio.to_thread(plan, batch, catalog, by_reading=by_reading)


class _Transaction:
    """One attempt."""

    def __init__(self, driver: Driver, catalog: Catalog, batch: Batch, plans: Sequence[TablePlan], way: _Way) -> None:
        self._way = way
        self._driver = driver
        self._catalog = catalog
        self._batch = batch
        self._plans = plans

    async def run(self, deadline: asyncio.Timeout) -> Ts:
        async with self._driver.session() as session:
            await settled(session.start_transaction(**_TRANSACTION))
            try:
                await self._advance_fence(session)
                await self._record_requests(session)
                if added := await self._added_references():
                    await renew(self._driver, added, session)
                for each in self._plans:
                    if len(each):
                        await self._write(each, session)
            except OperationFailure as error:
                if error.has_error_label("TransientTransactionError"):
                    raise _Raced(f"another transaction was faster: {error}") from error
                raise
            self._way.asked_to_commit = True
            await _commit(session, deadline)
            return ts_of(session.operation_time)

    async def _added_references(self) -> set[bytes]:
        if len(self._batch.writes) <= _AT_ONCE:
            return added_references(self._batch.writes)
        return await asyncio.to_thread(added_references, self._batch.writes)

    async def _advance_fence(self, session: Any) -> None:
        events = 1 + sum(map(len, self._plans))
        expected = self._batch.fence
        if expected is None:  # the count could be left out of the event if it is the last one's: better none
            forgotten = {"events": True, "token": True}
            change: Any = {"$inc": {"n": Int64(1)}, "$unset": forgotten}
            if self._batch.clock:
                change["$max"] = {"clock": Int64(self._batch.clock)}
            update: Any = {"q": {"_id": FENCE_ID}, "u": change}
        else:
            after = {
                "_id": FENCE_ID,
                "n": Int64(expected + 1),
                "events": events,
                "clock": Int64(self._batch.clock),
                "token": Binary(self._batch.token),
            }
            update = {"q": {"_id": FENCE_ID, "n": expected}, "u": after}
        reply = await self._driver.command({"update": FENCE, "updates": [update]}, session=session)
        if reply["n"] != 1:
            raise Conflict(f"the fence is not at {expected} any more")

    async def _record_requests(self, session: Any) -> None:
        if not self._batch.requests:
            return
        now = datetime.now(UTC)
        rows = [
            {"_id": request_id(each.session, each.number), "result": each.result, "createdAt": now}
            for each in self._batch.requests
        ]
        for start in range(0, len(rows), _AT_ONCE):
            reply = await written(self._driver, REQUESTS, Piece("insert", rows[start : start + _AT_ONCE]), session)
            if reply.error is not None:
                raise _duplicate_request(reply.error, self._batch.requests[start:])

    async def _write(self, each: TablePlan, session: Any) -> None:
        if each.by_reading:
            await self._compare(each, session)
        found = 0
        for piece in each.pieces(_AT_ONCE):
            reply = await written(self._driver, each.table, piece, session)
            if reply.error is not None:
                raise self._refusal(each.table, reply.error)
            found += reply.count if piece.command != "insert" else 0
        if found != len(each.replaces) + len(each.deletes):
            if not each.by_reading and await self._any_as_read(each, session):
                raise _NotFoundByItself
            raise Conflict(f"a document of {each.table!r} is no longer as it was read")

    async def _compare(self, each: TablePlan, session: Any) -> None:
        """Read the documents that the operations do not compare, and compare them here."""
        for some in _few(each.known):
            found = await self._raw(each.table, [key for key, _, _ in some], session)
            for key, before, raw in some:
                if raw not in found and not await self._is_as_read(each.table, key, before, session):
                    raise Conflict(f"a document of {each.table!r} is no longer as it was read")

    async def _raw(self, table: str, ids: Sequence[Any], session: Any) -> set[bytes]:
        """Read documents as the server has them; of large ones perhaps not all."""
        find = {"find": table, "filter": {"_id": {"$in": ids}}, "batchSize": len(ids), "singleBatch": True}
        reply = await self._driver.command(find, session=session, codec=RAW)
        return {each.raw for each in reply["cursor"]["firstBatch"]}

    async def _any_as_read(self, each: TablePlan, session: Any) -> bool:
        """Tell whether a document is still as it was read, though the operations would have changed it."""
        for key, before in each.known:
            if await self._is_as_read(each.table, key, before, session):
                return True
        return False

    async def _is_as_read(self, table: str, key: Any, before: Document, session: Any) -> bool:
        found = await self._driver.collection(table).find_one({"_id": key}, session=session)
        return found is not None and bson.encode(found, codec_options=CODEC) == bson.encode(before, codec_options=CODEC)

    def _refusal(self, table: str, error: WriteError) -> StoreError:
        if error.code != DUPLICATE_KEY:
            return _other(error)
        fields = error.key_fields
        if fields == ("_id",):
            return Conflict(f"a new document of {table!r} has an id that exists already")
        named = (index.name for index in self._catalog.unique_indexes(table) if index.fields == fields)
        return UniqueViolation(table, next(named, ",".join(fields)))


def _few(known: Sequence[tuple[Any, Document]]) -> Iterator[list[tuple[Any, Document, bytes]]]:
    """Give documents with their bytes, so many at a time as are read with one command."""
    some, size = list[tuple[Any, Document, bytes]](), 0
    for key, before in known:
        raw = bson.encode(before, codec_options=CODEC)
        if some and (len(some) == _AT_ONCE or size + len(raw) > _BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append((key, before, raw))
        size += len(raw)
    if some:
        yield some


def _duplicate_request(error: WriteError, requests: Sequence[RequestRecord]) -> StoreError:
    if error.code != DUPLICATE_KEY:
        return _other(error)
    request = requests[error.index]
    return DuplicateRequest(request.session, request.number)


def _other(error: WriteError) -> StoreError:
    if error.failure.has_error_label("TransientTransactionError"):
        return _Raced(f"another transaction was faster: {error.failure}")
    return translated(error.failure)


def _refused_commit(error: PyMongoError) -> StoreError:
    if error.has_error_label("TransientTransactionError"):
        return _Raced(f"the transaction was aborted: {error}")
    if isinstance(error, OperationFailure) and not isinstance(error, WriteConcernError):
        return translated(error)
    return StoreUnavailable(f"whether the commit took place is not known: {error}")


async def _commit(session: Any, deadline: asyncio.Timeout) -> None:
    """Commit, and ask again until the deadline while nobody knows whether it has happened."""
    for pause in pauses(deadline):
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise _refused_commit(error) from error
        else:
            return
        await asyncio.sleep(pause)
