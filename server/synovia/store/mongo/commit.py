"""One batch as one transaction.

The fence is advanced *first*. Of two hubs that commit at the same time, MongoDB then lets the first one through and
turns the second away at once: one of them always succeeds, and nothing else is written in vain. The fence document also
tells how many events the transaction makes in the change stream, so that the reader knows when it has all of them (see
``assembly``).

The commands of a small batch are sent in one go (see ``wire``), and the commit once all of them are answered. If the fence
is elsewhere, the others are carried out in vain, and lock documents until they are aborted; so while other hubs are about,
the fence is advanced before anything else is sent.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias

import bson
from bson import Binary, Int64
from bson.errors import BSONError
from pymongo import ReadPreference
from pymongo.asynchronous import client_session
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
from synovia.store.mongo.arrays import missing, renewal
from synovia.store.mongo.catalog import FENCE, FENCE_ID, REQUESTS, Catalog
from synovia.store.mongo.driver import CODEC, RAW, Driver, pauses
from synovia.store.mongo.errors import DUPLICATE_KEY, is_too_large, translated
from synovia.store.mongo.plan import Piece, TablePlan, plan
from synovia.store.mongo.times import ts_of
from synovia.store.mongo.wire import TooLarge, Wire
from synovia.store.mongo.writes import WriteError, Written, command_of, outcome_of, written
from synovia.store.references import added_references

_TRANSACTION: Final[dict[str, Any]] = {
    "read_concern": ReadConcern("snapshot"),
    "write_concern": WriteConcern("majority", j=True),
    "read_preference": ReadPreference.PRIMARY,
}
_OPTIONS: Final = client_session.TransactionOptions(**_TRANSACTION)  # type: ignore[attr-defined]
_CONCERN: Final = _TRANSACTION["write_concern"].document
_TRANSIENT: Final = "TransientTransactionError"
_AT_ONCE: Final = 250
"""So many operations are encoded at a time: the event loop has other things to do in between."""
_BYTES_AT_ONCE: Final = 4 * 1024 * 1024
_NUMBER: Final = struct.Struct(">q")


def request_id(session: bytes, number: int) -> bytes:
    return session + _NUMBER.pack(number)


_Step: TypeAlias = "tuple[Document, Callable[[Mapping[str, Any]], None]]"


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
    in_one_go = max(len(batch.writes), len(batch.requests)) <= _AT_ONCE
    for pause in pauses(deadline):
        plans = await _planned(batch, catalog, by_reading=by_reading)
        try:
            transaction = _Transaction(driver, catalog, batch, plans, way)
            fence_first = orphans.are_others_about
            return await transaction.run(deadline, in_one_go=in_one_go and not by_reading, fence_first=fence_first)
        except TooLarge:
            in_one_go = False
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
        self._added: Sequence[bytes] = ()
        self._lacks_arrays = False

    async def run(self, deadline: asyncio.Timeout, *, in_one_go: bool, fence_first: bool) -> Ts:
        """Write it and commit.

        Args:
            in_one_go: Send all commands before the first one is answered, if the connection allows it.
            fence_first: ... but that which advances the fence.

        Raises:
            TooLarge: They are too large for that.
        """
        self._added = await self._added_references()
        try:
            wire = await self._driver.take_wire() if in_one_go else None
            if wire is not None:
                return await self._in_one_go(wire, deadline, fence_first=fence_first)
            return await self._one_by_one(deadline)
        except OperationFailure as error:
            if error.has_error_label(_TRANSIENT):
                raise _Raced(f"another transaction was faster: {error}") from error
            raise

    async def _one_by_one(self, deadline: asyncio.Timeout) -> Ts:
        async with self._driver.session() as session:
            await session.start_transaction(**_TRANSACTION)
            command, check = self._fence()
            check(await self._driver.command(command, session=session))
            await self._record_requests(session)
            if self._added:
                self._note_renewed(await self._driver.command(renewal(self._added), session=session))
                await self._refuse_missing()
            for each in self._plans:
                if len(each):
                    await self._write(each, session)
            self._way.asked_to_commit = True
            await _commit(session, deadline)
            return _ts_after(session)

    async def _added_references(self) -> Sequence[bytes]:
        if len(self._batch.writes) <= _AT_ONCE:
            return sorted(added_references(self._batch.writes))
        return sorted(await asyncio.to_thread(added_references, self._batch.writes))

    def _note_renewed(self, reply: Mapping[str, Any]) -> None:
        self._lacks_arrays = reply["n"] != len(self._added)

    async def _refuse_missing(self) -> None:
        """Refuse to refer to arrays that are not stored.

        Raises:
            ArrayMissing: One of them is not.
        """
        if self._lacks_arrays:
            raise await missing(self._driver, self._added)

    # --- in one go ----------------------------------------------------------------------------------------------------

    async def _in_one_go(self, wire: Wire, deadline: asyncio.Timeout, *, fence_first: bool) -> Ts:
        """Do it on a connection, which is left to others if all goes well; else the driver goes on with its session."""
        ts, missed, asked = None, None, False
        try:
            wire.begin(_OPTIONS)
            missed = await self._send(wire, fence_first=fence_first)
            if missed is None and not self._lacks_arrays:
                self._way.asked_to_commit = asked = True
                ts = ts_of((await wire.commit(_CONCERN, CODEC))["operationTime"])
        except BaseException as error:
            async with _session_of(wire, error) as session:
                if not asked or not _leaves_open(error):
                    raise
                await _commit(session, deadline)  # perhaps it was committed: whoever asks again is told
                return _ts_after(session)
        if ts is not None:
            await self._driver.leave_wire(wire)
            return ts
        async with _session_of(wire) as session:
            await self._refuse_missing()
            if missed is not None:
                await self._refuse(missed, session)
            raise AssertionError("something was missing")

    async def _send(self, wire: Wire, *, fence_first: bool) -> TablePlan | None:
        """Write everything; give operations of which not all have found their documents as they were read."""
        steps = self._steps()
        for some in (steps[:1], steps[1:]) if fence_first else (steps,):
            replies = await wire.run([command for command, _ in some], CODEC)
            for (_, look), reply in zip(some, replies, strict=True):
                if reply.get("ok") != 1:
                    wire.check(reply)
                look(reply)
        return self._missed()

    def _steps(self) -> list[_Step]:
        """Give the commands, and what looks at the answer to each."""
        steps = [self._fence()]
        if self._batch.requests:
            insert = {"insert": REQUESTS, "documents": self._request_rows()}
            steps.append((insert, self._check_all_requests))
        if self._added:
            steps.append((renewal(self._added), self._note_renewed))
        for each in self._plans:
            steps += [
                (command_of(piece, each.table), partial(self._count, each, piece)) for piece in each.pieces(_AT_ONCE)
            ]
        return steps

    def _check_all_requests(self, reply: Mapping[str, Any]) -> None:
        if "writeErrors" in reply:
            self._check_requests(outcome_of(reply), 0)

    def _count(self, each: TablePlan, piece: Piece, reply: Mapping[str, Any]) -> None:
        if "writeErrors" in reply:
            self._check_piece(each, piece, outcome_of(reply))
        elif piece.command != "insert":
            each.found += reply["n"]

    # --- what is written ----------------------------------------------------------------------------------------------

    def _fence(self) -> _Step:
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
        return {"update": FENCE, "updates": [update]}, self._check_fence

    def _check_fence(self, reply: Mapping[str, Any]) -> None:
        if reply["n"] != 1:
            raise Conflict(f"the fence is not at {self._batch.fence} any more")

    def _request_rows(self) -> list[Document]:
        now = datetime.now(UTC)
        return [
            {"_id": request_id(each.session, each.number), "result": each.result, "createdAt": now}
            for each in self._batch.requests
        ]

    async def _record_requests(self, session: Any) -> None:
        rows = self._request_rows()
        for start in range(0, len(rows), _AT_ONCE):
            reply = await written(self._driver, REQUESTS, Piece("insert", rows[start : start + _AT_ONCE]), session)
            self._check_requests(reply, start)

    def _check_requests(self, reply: Written, start: int) -> None:
        if reply.error is not None:
            raise _duplicate_request(reply.error, self._batch.requests[start:])

    async def _write(self, each: TablePlan, session: Any) -> None:
        if each.by_reading:
            await self._compare(each, session)
        for piece in each.pieces(_AT_ONCE):
            self._check_piece(each, piece, await written(self._driver, each.table, piece, session))
        if each.is_missed:
            await self._refuse(each, session)

    def _check_piece(self, each: TablePlan, piece: Piece, reply: Written) -> None:
        if reply.error is not None:
            raise self._refusal(each.table, reply.error)
        if piece.command != "insert":
            each.found += reply.count

    def _missed(self) -> TablePlan | None:
        """Give the operations of which not all have found their documents as they were read."""
        for each in self._plans:
            if each.is_missed:
                return each
        return None

    async def _refuse(self, each: TablePlan, session: Any) -> NoReturn:
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


def _leaves_open(error: BaseException) -> bool:
    """Tell whether what was asked to commit may have been committed, for what it has failed with."""
    return isinstance(error, PyMongoError) and not (
        isinstance(error, OperationFailure) and error.has_error_label(_TRANSIENT)
    )


@asynccontextmanager
async def _session_of(wire: Wire, error: BaseException | None = None) -> AsyncIterator[Any]:
    """Leave a connection to the driver, and tell what it failed with; give its session, and end it."""
    try:
        await wire.give_back(error)
        yield wire.session
    finally:
        await wire.session.end_session()


def _ts_after(session: Any) -> Ts:
    return ts_of(session.operation_time)


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
    if error.failure.has_error_label(_TRANSIENT):
        return _Raced(f"another transaction was faster: {error.failure}")
    return translated(error.failure)


def _refused_commit(error: PyMongoError) -> StoreError:
    if error.has_error_label(_TRANSIENT):
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
