"""The store on MongoDB."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any, Final

from bson import Binary
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from synovia import charges
from synovia.schema.specs import Document, Reading, TableSpec
from synovia.store.base import (
    REQUEST_TTL,
    Batch,
    Commit,
    Gap,
    RequestRecord,
    StoredIndex,
    StoreUnavailable,
    StoreUnusable,
    Ts,
)
from synovia.store.mongo.abandoned_transactions import Orphans
from synovia.store.mongo.arrays import MongoArrays
from synovia.store.mongo.assembly import PositionLost
from synovia.store.mongo.catalog import FENCE, FENCE_ID, OWN, REQUESTS, Catalog
from synovia.store.mongo.commit import commit, request_id
from synovia.store.mongo.cursor import all_documents
from synovia.store.mongo.driver import Driver, pauses
from synovia.store.mongo.errors import AUTHENTICATION_FAILED, in_short, translated
from synovia.store.mongo.feed import Feed
from synovia.store.mongo.schema import Server, check_server, drop_index, missing_indexes, prepare, unused_indexes
from synovia.store.mongo.snapshot import MongoSnapshot
from synovia.store.mongo.times import ts_of
from synovia.store.objects import ObjectArrays

logger = logging.getLogger("synovia")

_REQUEST_TTL: Final = timedelta(seconds=REQUEST_TTL)
COMMIT_SHARE: Final = 0.5
"""So much of the time for which everybody waits for a commit is charged: about as much as the database computes."""
FREE_WEIGHT: Final = 8
"""The weight of a commit of one document with a few indexes, which is free: the network and the disk take most of it."""
_BEYOND: Final = 1_000_000
"""A fence that is made again begins so far beyond the largest number that this hub has seen: others may have seen more."""


class MongoStore:
    """A database on a MongoDB replica set, 6.0 or later.

    Documents lie in collections named like their tables, as they are: other programs may read and write them.

    Args:
        client: A URI, or an ``AsyncMongoClient``, which stays open.
        database: The database's name; None takes the one in the URI, or ``synovia``.
        timeout: Seconds until a database that does not answer counts as unavailable.
        patience: Seconds between two looks at the clock when nothing is written.
        request_ttl: How long the record of a mutation is kept, and with it the promise that a retry does not run twice.

    Raises:
        StoreUnavailable: The URI cannot be used.
    """

    def __init__(
        self,
        client: str | AsyncMongoClient[Any],
        database: str | None = None,
        *,
        timeout: float = 10.0,
        patience: float = 1.0,
        request_ttl: timedelta = _REQUEST_TTL,
    ) -> None:
        self._driver = Driver(client, database, timeout)
        self._catalog = Catalog()
        self._server = Server()
        self._patience = patience
        self._request_ttl = request_ttl.total_seconds()
        self._arrays = ObjectArrays(MongoArrays(self._driver))
        self._orphans = Orphans(self._driver)
        self._largest_fence = 0

    @property
    def arrays(self) -> ObjectArrays:
        return self._arrays

    @property
    def shared(self) -> bool:
        return True

    @property
    def request_ttl(self) -> float:
        return int(self._request_ttl)  # the index counts whole seconds

    async def open(self, tables: Sequence[TableSpec]) -> None:
        try:
            async with asyncio.timeout(self._driver.timeout):
                self._server = await check_server(self._driver)
        except (PyMongoError, TimeoutError) as error:
            if getattr(error, "code", None) == AUTHENTICATION_FAILED:
                raise StoreUnusable(
                    "MongoDB refuses the user or the password in its address: mend them; authSource=DATABASE there says"
                    " in which database the user was made, if it is another one"
                ) from error
            advice = "is mongod running there, and has its replica set been initiated?"
            raise StoreUnavailable(f"no MongoDB primary answers: {in_short(error)}; {advice}") from error
        self._catalog.declare(tables)
        await self._prepare()

    async def tables(self) -> list[str]:
        listing = {"listCollections": 1, "filter": {"type": "collection"}, "nameOnly": True, "cursor": {}}
        found = await self._driver.reading(lambda: all_documents(self._driver, listing))
        return [each["name"] for each in found if each["name"] not in OWN and not each["name"].startswith("system.")]

    async def missing_indexes(self, tables: Sequence[TableSpec] | None = None) -> list[StoredIndex]:
        of = self._catalog.tables if tables is None else tables
        return await self._driver.reading(lambda: missing_indexes(self._driver, of))

    async def unused_indexes(self, tables: Sequence[TableSpec] | None = None) -> list[StoredIndex]:
        of = self._catalog.tables if tables is None else tables
        return await self._driver.reading(lambda: unused_indexes(self._driver, of))

    async def drop_index(self, index: StoredIndex) -> None:
        if self._catalog.declares(index):
            return
        await self._driver.reading(lambda: drop_index(self._driver, index))

    async def close(self) -> None:
        await self._driver.close()

    async def ping(self) -> None:
        await self._driver.reading(lambda: self._driver.command({"ping": 1}))

    async def newest(self) -> tuple[Ts, int]:
        ts, fence = await self._fence()
        return ts, int(fence.get("n", 0))

    async def clock(self) -> Reading:
        _, fence = await self._fence()
        return int(fence.get("clock", 0))

    async def _fence(self) -> tuple[Ts, Document]:
        command = {"find": FENCE, "filter": {"_id": FENCE_ID}, "limit": 1, "readConcern": {"level": "snapshot"}}
        reply = await self._driver.reading(lambda: self._driver.command(command))
        cursor = reply["cursor"]
        if "atClusterTime" not in cursor or not cursor["firstBatch"]:  # without the collection there is no time either
            raise StoreUnavailable("the fence has been deleted; it is made again as soon as the log has heard of that")
        fence = cursor["firstBatch"][0]
        self._largest_fence = max(self._largest_fence, int(fence.get("n", 0)))
        return ts_of(cursor["atClusterTime"]), fence

    def snapshot(self, ts: Ts) -> MongoSnapshot:
        return MongoSnapshot(self._driver, self._catalog, ts)

    async def commit(self, batch: Batch) -> Ts:
        began = charges.clock()
        try:
            return await commit(self._driver, self._catalog, batch, self._orphans)
        finally:
            if isinstance(charge := charges.current(), charges.Shared):
                charge.add_beyond(FREE_WEIGHT, (charges.clock() - began) * COMMIT_SHARE)

    async def changes(self, after: Ts) -> AsyncGenerator[Commit | Gap, None]:
        position, waiting = after, pauses()
        while True:
            feed = Feed(self._driver, self._catalog, self._server, position, patience=self._patience)
            try:
                async with contextlib.aclosing(feed.commits()) as commits:
                    async for each in commits:
                        waiting = pauses()
                        yield each
            except PositionLost as lost:
                if feed.position == position:
                    await asyncio.sleep(next(waiting))  # lost right there: the database may not have moved on yet
                newest, fence = await self._recover()
                position = max(feed.position, newest)
                yield Gap(position, str(lost), fence, await self.clock())

    async def documents(self) -> AsyncGenerator[bytes, None]:
        """Read every document of the database but the store's own, without decoding it."""
        for name in await self.tables():
            async for piece in self._driver.raw(name):
                yield piece

    async def find_request(self, session: bytes, number: int) -> RequestRecord | None:
        query = {"_id": Binary(request_id(session, number))}
        command = {"find": REQUESTS, "filter": query, "limit": 1, "readConcern": {"level": "majority"}}
        rows = await self._driver.reading(lambda: all_documents(self._driver, command))
        return RequestRecord(session, number, bytes(rows[0]["result"])) if rows else None

    async def _prepare(self) -> None:
        try:
            first = self._largest_fence + _BEYOND if self._largest_fence else 0
            await prepare(self._driver, self._catalog, self._server, self._request_ttl, first)
        except PyMongoError as error:
            raise translated(error) from error

    async def _recover(self) -> tuple[Ts, int]:
        """Restore what was dropped, and find a position to go on from, with the fence there."""
        said = ""
        for pause in pauses():
            try:
                await self._prepare()
                return await self.newest()
            except StoreUnavailable as error:
                if str(error) != said:
                    said = str(error)
                    logger.warning("the log cannot go on: %s", said)
            await asyncio.sleep(pause)
        raise AssertionError("pauses never end")
