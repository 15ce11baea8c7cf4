"""The log: one change stream on the database, read by commands so that its batches and tokens can be seen.

The driver's own cursor hides when the server has nothing more, and that is what closes a group of events (``assembly``).
A position is simply the ts of the last commit given: after an error the stream starts again there and passes over that
one, so nothing is lost and nothing comes twice. Events of the store's own bulky collections are left out *by the server*:
arrays' chunks and request records would otherwise travel to every hub. The token that moves the clock advances over them
all the same. Events of collections that are no tables come without any content, so whatever lies in there harms nobody.

An error that would come again at the same place is never tried again there. An event too large with its images is asked for
without them; one that cannot be had even so, or that nobody can decode, is a lost position: the log goes on behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError

from synovia.schema.specs import Document
from synovia.store.base import Commit, SnapshotTooOld, StoreError, StoreUnavailable, Ts
from synovia.store.mongo.assembly import UNKNOWN, Assembler, Group, PositionLost
from synovia.store.mongo.catalog import ARRAYS, CHUNKS, FENCE, REQUESTS, Catalog
from synovia.store.mongo.driver import CODEC, RAW, Driver, pauses
from synovia.store.mongo.errors import HISTORY_LOST, TOO_LARGE, is_transient, translated
from synovia.store.mongo.schema import Server
from synovia.store.mongo.snapshot import MongoSnapshot
from synovia.store.mongo.times import timestamp, token_ts, ts_of
from synovia.store.mongo.wire import Wire
from synovia.turns import Turns

_FATAL: Final = frozenset({HISTORY_LOST, 280})
"""ChangeStreamHistoryLost; and ChangeStreamFatalError: this position cannot be resumed."""

_SILENT: Final = [{"$match": {"ns.coll": {"$nin": [REQUESTS, ARRAYS, CHUNKS]}}}]
_AT_ONCE: Final = 0.001
_FEW: Final = 32
_ROUNDS: Final = 3
"""In so many rounds of the event loop live queries are found due, run and pushed, which goes before asking for more."""
_SMALL_BYTES: Final = 32 * 1024
"""An answer of no more is decoded as a whole."""
_MOST: Final = 250
"""So many events are taken from the server at a time: looking at where each begins and ends goes on in one piece."""


def _trimmed(catalog: Catalog, *, images: bool) -> Document:
    """Make the stage that takes from each event what nobody here looks at, and the images if they are not wanted."""
    tables = [table.name for table in catalog.tables]

    def only(field: str, names: Sequence[str]) -> Document:
        return {"$cond": [{"$in": ["$ns.coll", [{"$literal": name} for name in names]]}, f"${field}", "$$REMOVE"]}

    return {
        "$set": {
            "documentKey": only("documentKey", [*tables, FENCE]),
            "fullDocument": only("fullDocument", [*(tables if images else ()), FENCE]),
            "fullDocumentBeforeChange": only("fullDocumentBeforeChange", tables if images else ()),
            "updateDescription": only("updateDescription", [FENCE]),
            "lsid": "$$REMOVE",
            "wallTime": "$$REMOVE",
        }
    }


Event = Document | RawBSONDocument


class Feed:
    """Follows the database from one position until the position is lost.

    Args:
        patience: Seconds that the server may hold a request open when nothing happens.
    """

    def __init__(self, driver: Driver, catalog: Catalog, server: Server, after: Ts, *, patience: float) -> None:
        self._driver = driver
        self._catalog = catalog
        self._server = server
        self._patience = patience
        self._images = True
        self.position = after

    async def commits(self) -> AsyncGenerator[Commit, None]:
        """Give commits, and again and again an empty one that moves the clock.

        Raises:
            PositionLost: The commits from here on cannot be had.
            StoreError: The database refuses for good.
        """
        waiting = pauses()
        while True:
            try:
                async with contextlib.aclosing(self._stream()) as stream:
                    async for commit in stream:
                        self.position = commit.ts
                        waiting = pauses()
                        yield commit
            except (PyMongoError, BSONError, TimeoutError) as error:
                self._judge(error)
            await asyncio.sleep(next(waiting))

    def _judge(self, error: PyMongoError | BSONError | TimeoutError) -> None:
        """Return if the stream can be opened again where it stopped."""
        if self._driver.closed:
            raise StoreUnavailable("the store was closed") from error
        code = error.code if isinstance(error, OperationFailure) else None
        if code in _FATAL:
            raise PositionLost(f"the database no longer keeps the log from there: {error}") from error
        if code == TOO_LARGE and self._images:
            self._images = False  # a document and its images do not fit into one event: they are read instead
        elif code == TOO_LARGE or isinstance(error, BSONError):
            raise PositionLost(f"the database cannot deliver what comes after {self.position}: {error}") from error
        elif not is_transient(error):
            raise translated(error) from error

    async def _stream(self) -> AsyncGenerator[Commit, None]:
        """Give what one cursor gives; return to have it opened anew."""
        turns = Turns(1, urgent=True)
        assembler = Assembler(self._catalog, self.position, single_events=self._server.single_events)
        async with self._driver.session() as session:
            pipeline = [*_SILENT, _trimmed(self._catalog, images=self._images)]
            cursor = _Cursor(self._driver, session, self.position, pipeline, images=self._images)
            try:
                while self._images or self.position == assembler.position:
                    events, reached = await cursor.read(_AT_ONCE if assembler.is_open else self._patience)
                    told = False
                    for number, some in enumerate(_pieces(events)):
                        if number:
                            await turns.step()
                        for group in self._groups(assembler, some, reached, cursor.each):
                            if not group.is_empty:
                                told = True
                                yield group.commit() if group.is_whole else await self._complete(group)
                    if told:
                        await _rounds(_ROUNDS)
                    if assembler.position > self.position:
                        yield Commit(assembler.position)
            except PyMongoError as error:
                await cursor.leave(error)
                raise
            finally:
                await cursor.close()
        self._images = True

    def _groups(self, assembler: Assembler, events: Iterable[Event], reached: Ts | None, each: int) -> Iterator[Group]:
        """Give the groups that an answer of the server makes whole, and move the clock."""
        end = True
        for event in events:
            end = False
            if isinstance(event, dict):
                yield from assembler.add(event, each)
            else:
                yield from assembler.add(_decoded(event), len(event.raw))
        if end and self._server.sharded:
            yield from assembler.reach(reached - 1) if reached else ()  # another shard may still add to that instant
        elif end:
            yield from assembler.close()
            yield from assembler.reach(reached) if reached else ()

    async def _complete(self, group: Group) -> Commit:
        """Read the images that the events lack, as of the commit and of the instant before it."""
        if group.unknown:
            group.size = 0
        try:
            for table in {each.table for each in group.unknown}:
                await self._look_up(table, group)
        except StoreUnavailable:
            raise
        except SnapshotTooOld as error:
            raise PositionLost(f"the database kept no image of a changed document: {error}") from error
        except StoreError as error:
            names = sorted({each.table for each in group.unknown})
            raise PositionLost(f"a changed document of {', '.join(names)} cannot be read: {error}") from error
        return group.commit()

    async def _look_up(self, table: str, group: Group) -> None:
        changes = [each for each in group.unknown if each.table == table]
        ids = [each.id for each in changes]
        before = await MongoSnapshot(self._driver, self._catalog, group.ts - 1).get(table, ids)
        after = await MongoSnapshot(self._driver, self._catalog, group.ts).get(table, ids)
        for change, old, new in zip(changes, before, after, strict=True):
            change.before = old if change.before is UNKNOWN else change.before
            change.after = new if change.after is UNKNOWN else change.after


def _pieces(events: Sequence[Event]) -> Sequence[Sequence[Event]]:
    """Give events a few at a time, which does not take long; none as one piece of none."""
    if len(events) <= _FEW:
        return (events,)
    return [events[start : start + _FEW] for start in range(0, len(events), _FEW)]


def _decoded(event: RawBSONDocument) -> Document:
    """Decode an event.

    Raises:
        PositionLost: It holds what is no BSON; the server takes such values from clients without looking inside.
    """
    try:
        return bson.decode(event.raw, CODEC)
    except BSONError as error:
        place = f"{event['ns']['coll']} at {ts_of(event['clusterTime'])}"
        raise PositionLost(f"a changed document of {place} cannot be decoded: {error}; {_key_of(event)}") from error


def _key_of(event: RawBSONDocument) -> str:
    """Name the document of an event that cannot be decoded as a whole."""
    try:
        return f"its _id is {bson.decode(event['documentKey'].raw, CODEC)['_id']!r}"[:200]
    except (BSONError, KeyError):
        return f"its event is {event['_id']['_data'][:200]}"


class _Cursor:
    """The cursor of a change stream, on one session.

    It is opened *at* the position and not after it, and passes over what is there: as long as the server has looked no
    further than its first token says, it has not looked at that instant. Opened at the next one, it would never tell
    that nothing of ours happened right there.

    Attributes:
        each: The bytes of an event of the last answer, about, if they are decoded.
    """

    def __init__(self, driver: Driver, session: Any, after: Ts, pipeline: Sequence[Document], *, images: bool) -> None:
        self._driver = driver
        self._session = session
        self._after = after
        self._is_beyond = False
        self._id: int | None = None
        stage: Document = {"startAtOperationTime": timestamp(after)}
        if images:
            stage |= {"fullDocument": "whenAvailable", "fullDocumentBeforeChange": "whenAvailable"}
        self._opening = {"aggregate": 1, "pipeline": [{"$changeStream": stage}, *pipeline], "cursor": {}}
        self._wire: Wire | None = None
        self._packed: dict[float, bytes] = {}  # the commands for more, by how long the server may wait
        self.each = 0

    async def read(self, wait: float) -> tuple[Sequence[Event], Ts | None]:
        """Give the next events, and how far the server has looked if it has said so; no events: it has no more for now.

        Its first token only repeats where it was asked to start.
        """
        is_new = self._id is None
        cursor = await (self._ask(self._opening, 0.0) if is_new else self._more(wait))
        self._id = cursor["id"] if is_new else self._id
        reached = token_ts(cursor.get("postBatchResumeToken"))
        batch: Sequence[Event] = cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]
        return self._beyond(batch), reached if reached is not None and reached > self._after else None

    def _beyond(self, batch: Sequence[Event]) -> Sequence[Event]:
        """Leave out what was given already; it comes first, so later on no event is opened for that."""
        if not self._is_beyond:
            batch = [event for event in batch if ts_of(event["clusterTime"]) > self._after]
            self._is_beyond = bool(batch)
        return batch

    async def _more(self, wait: float) -> Mapping[str, Any]:
        """Ask for more: past the driver's layers if that is possible, on a connection that is kept for it."""
        if (wire := self._wire) is None or not wire.is_usable:
            wire = await self._another_wire()
        if wire is None:
            return await self._ask(self._command(wait), wait)
        packed = self._packed.get(wait)
        if packed is None:
            packed = self._packed[wait] = wire.packed(self._command(wait), self._session)
        body = await wire.ask(packed, wait + self._driver.timeout)
        reply, self.each = _opened(body)
        wire.check(reply)
        cursor: Mapping[str, Any] = reply["cursor"]
        return cursor

    def _command(self, wait: float) -> Document:
        most = max(1, int(wait * 1000))
        return {"getMore": self._id, "collection": "$cmd.aggregate", "batchSize": _MOST, "maxTimeMS": most}

    async def _another_wire(self) -> Wire | None:
        await self.leave()
        self._wire = await self._driver.take_wire()
        return self._wire

    async def leave(self, error: BaseException | None = None) -> None:
        """Leave the connection, and tell what it has failed with."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await self._driver.leave_wire(wire, error)

    async def _ask(self, command: Document, wait: float) -> Document:
        async with asyncio.timeout(wait + self._driver.timeout):
            reply = await self._driver.command(command, session=self._session, codec=RAW)
        cursor: Document = reply["cursor"]
        return cursor

    async def close(self) -> None:
        """End it at the server, and leave the connection."""
        await self.leave()
        if not self._id:
            return
        with contextlib.suppress(PyMongoError, StoreError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._driver.command(
                    {"killCursors": "$cmd.aggregate", "cursors": [self._id]}, session=self._session
                )


def _opened(body: bytes) -> tuple[Mapping[str, Any], int]:
    """Decode an answer; its events only when they are looked at if it is large, or one of them cannot be decoded.

    Returns:
        It, and how many bytes each of its events has that are decoded, about.
    """
    if len(body) <= _SMALL_BYTES:
        with contextlib.suppress(BSONError):
            reply = bson.decode(body, CODEC)
            events = reply.get("cursor", {}).get("nextBatch", ())
            return reply, len(body) // max(1, len(events))
    return RawBSONDocument(body, RAW), 0


async def _rounds(number: int) -> None:
    """Wait until the event loop has come round so often."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    loop.call_soon(_pass, loop, future, number - 1)
    await future


def _pass(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None], left: int) -> None:
    if left > 1:
        loop.call_soon(_pass, loop, future, left - 1)
    elif not future.done():
        future.set_result(None)
