"""Bringing collections and indexes to what the tables declare.

Nothing is touched that is right already: in MongoDB even a change without effect makes a collection unreadable at earlier
timestamps, which would disturb the other hubs.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bson import Int64
from pymongo.errors import OperationFailure

from synovia.schema.specs import Document, TableSpec
from synovia.store.base import StoredIndex, StoreUnavailable, StoreUnusable
from synovia.store.mongo.catalog import (
    ARRAYS,
    CHUNKS,
    FENCE,
    FENCE_ID,
    PREFIX,
    REQUESTS,
    UNIQUE_SUFFIX,
    Catalog,
    pattern_of,
)
from synovia.store.mongo.cursor import all_documents
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.errors import (
    DUPLICATE_KEY,
    INDEX_KEY_SPECS_CONFLICT,
    INDEX_NOT_FOUND,
    INDEX_OPTIONS_CONFLICT,
    NAMESPACE_EXISTS,
    NAMESPACE_NOT_FOUND,
)

logger = logging.getLogger("synovia")

IMAGES = "changeStreamPreAndPostImages"
MAJORITY = {"w": "majority", "j": True}
OLDEST_SERVER = (6, 0)
_WIRE_VERSION_8 = 25
_RACES = 5


@dataclass(frozen=True, slots=True)
class _Index:
    """An index as MongoDB describes it, without what the server adds by itself."""

    name: str
    pattern: tuple[tuple[str, Any], ...]
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def command(self) -> Document:
        return {"key": dict(self.pattern), "name": self.name, **self.options}


USE = _Index(PREFIX + "use", (("_id", 1), ("used", 1)))
"""By this the sweep finds what has not been used for long without reading samples."""


@dataclass(frozen=True, slots=True)
class Server:
    """What of a server's nature matters to reading its change stream."""

    single_events: bool = True
    """An event outside a transaction is a log entry of its own (8.0 may put an insertMany into one entry)."""
    sharded: bool = False
    """It is a mongos, behind which several logs are merged."""


async def check_server(driver: Driver) -> Server:
    """Refuse a server that has no change streams, no snapshots or no document images.

    Raises:
        StoreUnusable: With what mends it.
    """
    hello = await driver.command({"hello": 1}, on="admin")
    sharded = hello.get("msg") == "isdbgrid"
    if "setName" not in hello and not sharded:
        raise StoreUnusable(
            "this mongod is a standalone, which has neither transactions nor change streams: start it with "
            "`mongod --replSet rs0` and run `rs.initiate()` once in mongosh"
        )
    version = (await driver.command({"buildInfo": 1}, on="admin"))["versionArray"]
    if tuple(version[:2]) < OLDEST_SERVER:
        found = ".".join(map(str, version[:3]))
        raise StoreUnusable(f"MongoDB {found} is too old: upgrade it to 6.0 or later, where document images exist")
    return Server(single_events=hello["maxWireVersion"] < _WIRE_VERSION_8, sharded=sharded)


async def prepare(driver: Driver, catalog: Catalog, server: Server, request_ttl: float, first_fence: int = 0) -> None:
    """Create what is missing of the catalog's tables and of the store's own collections, and mend what differs.

    Args:
        request_ttl: Seconds for which a request record is kept.
        first_fence: The number of a fence that has to be made: more than one that was there before ever had, or a hub that
            stood still meanwhile would find its own number again one day, and take what it has missed for nothing.
    """
    if server.sharded:
        await _refuse_sharded(driver, [*(table.name for table in catalog.tables), FENCE, REQUESTS])
    found = {each["name"]: each for each in await all_documents(driver, {"listCollections": 1, "cursor": {}})}
    for table in catalog.tables:
        await _ensure_collection(driver, table.name, found.get(table.name), images=True)
        await _ensure_indexes(driver, catalog, table)
    for name in (FENCE, REQUESTS, ARRAYS, CHUNKS):
        await _ensure_collection(driver, name, found.get(name), images=False)
    await _ensure_expiry(driver, _expiry(request_ttl))
    for name in (ARRAYS, CHUNKS):
        await _ensure(driver, name, [USE])
    await _ensure_fence(driver, first_fence)


async def _refuse_sharded(driver: Driver, names: list[str]) -> None:
    """Refuse collections spread over shards: their transactions have a time of their own on every shard."""
    query = {"_id": {"$in": [f"{driver.name}.{name}" for name in names]}, "unsplittable": {"$ne": True}}
    reply = await driver.command({"find": "collections", "filter": query}, on="config")
    if spread := reply["cursor"]["firstBatch"]:
        raise StoreUnusable(f"the collection {spread[0]['_id']!r} is sharded; Synovia needs it on one shard")


async def _ensure_collection(driver: Driver, name: str, found: Document | None, *, images: bool) -> None:
    options = {IMAGES: {"enabled": True}} if images else {}
    if found is None:
        try:
            await driver.command({"create": name, **options, "writeConcern": MAJORITY})
        except OperationFailure as error:
            if error.code != NAMESPACE_EXISTS:  # another hub was faster
                raise
            return
    elif found.get("type", "collection") != "collection" or found["options"].get("capped"):
        raise StoreUnusable(f"the table {name!r} cannot be kept in a view, a time series or a capped collection")
    elif images and not found["options"].get(IMAGES, {}).get("enabled"):
        await driver.command({"collMod": name, **options, "writeConcern": MAJORITY})


async def _ensure_fence(driver: Driver, first: int) -> None:
    update = {"q": {"_id": FENCE_ID}, "u": {"$setOnInsert": {"n": Int64(first)}}, "upsert": True}
    try:
        reply = await driver.command({"update": FENCE, "updates": [update], "writeConcern": MAJORITY})
    except OperationFailure as error:
        if error.code != DUPLICATE_KEY:
            raise
        return
    if not first and reply.get("upserted"):
        logger.info("%s: no hub has served this database of MongoDB before", driver.name)


# --- indexes ----------------------------------------------------------------------------------------------------------


def _expiry(seconds: float) -> _Index:
    return _Index(PREFIX + "expiry", (("createdAt", 1),), {"expireAfterSeconds": int(seconds)})


def _declared(table: TableSpec) -> list[_Index]:
    """List a table's indexes: each one with ``_id`` at its end, and a unique one also as it is."""
    indexes = [_Index(PREFIX + each.name, tuple(pattern_of(each).items())) for each in table.indexes if each.fields]
    return indexes + [
        _Index(PREFIX + each.name + UNIQUE_SUFFIX, tuple((name, 1) for name in each.fields), {"unique": True})
        for each in table.indexes
        if each.unique
    ]


async def _ensure_expiry(driver: Driver, wanted: _Index) -> None:
    """Have request records expire after the time that is set now: MongoDB changes that in the index there is."""
    there = await _existing(driver, REQUESTS)
    if not any(each.pattern == wanted.pattern and "expireAfterSeconds" in each.options for each in there):
        await _ensure(driver, REQUESTS, [wanted])
    elif _found(wanted, there) is None:
        index = {"keyPattern": dict(wanted.pattern), **wanted.options}
        await driver.command({"collMod": REQUESTS, "index": index, "writeConcern": MAJORITY})


async def _ensure_indexes(driver: Driver, catalog: Catalog, table: TableSpec) -> None:
    for index in await _ensure(driver, table.name, _declared(table)):
        if not index.options:
            catalog.name_index(table.name, [name for name, _ in index.pattern], index.name)


async def _ensure(driver: Driver, collection: str, wanted: Iterable[_Index]) -> list[_Index]:
    """Create missing indexes; tell under which names the wanted ones exist.

    An index over the same fields serves whatever its name: MongoDB would refuse a second one. Nothing is dropped, as a hub
    of another version may need it.
    """
    for _ in range(_RACES):
        there = await _existing(driver, collection)
        names = [_found(each, there) or _named(each, there) for each in wanted]
        missing = [index for index in dict.fromkeys(names) if index not in there]
        try:
            if missing:
                await _create(driver, collection, missing)
            return names
        except OperationFailure as error:  # another hub has made one in the meantime
            if error.code not in (INDEX_OPTIONS_CONFLICT, INDEX_KEY_SPECS_CONFLICT):
                raise
    raise StoreUnavailable(f"the indexes of {collection!r} are being changed by others all the time")


def _found(wanted: _Index, there: Iterable[_Index]) -> _Index | None:
    return next((each for each in there if each.pattern == wanted.pattern and each.options == wanted.options), None)


def _named(wanted: _Index, there: Iterable[_Index]) -> _Index:
    """Give a new index its name, another one than that of an index over other fields, which another version may need."""
    if all(each.name != wanted.name for each in there):
        return wanted
    digest = hashlib.sha256(repr((wanted.pattern, sorted(wanted.options.items()))).encode()).hexdigest()
    return replace(wanted, name=f"{wanted.name}_{digest[:8]}")


async def unused_indexes(driver: Driver, tables: Iterable[TableSpec]) -> list[StoredIndex]:
    """List the store's own indexes on tables that these do not declare."""
    found: list[StoredIndex] = []
    for table in tables:
        wanted, there = _declared(table), await _existing(driver, table.name)
        own = (index for index in there if index.name.startswith(PREFIX))
        found += (_stored(table.name, index) for index in own if _found(index, wanted) is None)
    return found


async def missing_indexes(driver: Driver, tables: Iterable[TableSpec]) -> list[StoredIndex]:
    """List the declared indexes that are not there, in the names of the application."""
    found: list[StoredIndex] = []
    for table in tables:
        there = await _existing(driver, table.name)
        found += (
            StoredIndex(
                table.name, index.name.removeprefix(PREFIX), _stored(table.name, index).fields, bool(index.options)
            )
            for index in _declared(table)
            if _found(index, there) is None
        )
    return found


def _stored(table: str, index: _Index) -> StoredIndex:
    fields = [name for name, _ in index.pattern]
    unique = bool(index.options.get("unique"))
    return StoredIndex(table, index.name, tuple(fields if unique or fields[-1:] != ["_id"] else fields[:-1]), unique)


async def drop_index(driver: Driver, index: StoredIndex) -> None:
    """Drop an index; nothing happens if it is gone."""
    try:
        await driver.command({"dropIndexes": index.table, "index": index.name, "writeConcern": MAJORITY})
    except OperationFailure as error:
        if error.code != INDEX_NOT_FOUND:
            raise


async def _existing(driver: Driver, collection: str) -> list[_Index]:
    try:
        rows = await all_documents(driver, {"listIndexes": collection, "cursor": {}})
    except OperationFailure as error:
        if error.code != NAMESPACE_NOT_FOUND:
            raise
        return []
    return [_Index(row.pop("name"), tuple(row.pop("key").items()), _options(row)) for row in rows]


def _options(row: Document) -> Document:
    return {name: value for name, value in row.items() if name not in ("v", "ns", "background") and value is not False}


async def _create(driver: Driver, collection: str, indexes: list[_Index]) -> None:
    command = {"createIndexes": collection, "indexes": [index.command() for index in indexes], "writeConcern": MAJORITY}
    try:
        await driver.command(command)
    except OperationFailure as error:
        if error.code != DUPLICATE_KEY:
            raise
        raise StoreUnusable(
            f"documents of {collection!r} violate a unique index; remove one of them: {error}"
        ) from error
