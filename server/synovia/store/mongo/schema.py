"""Bringing collections and indexes to what the tables declare.

Nothing is touched that is right already: in MongoDB even a change without effect makes a collection unreadable at earlier
timestamps, which would disturb the other hubs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import OperationFailure

from synovia.schema.specs import Document, TableSpec
from synovia.store.base import StoreUnavailable
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
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.errors import DUPLICATE_KEY, INDEX_NOT_FOUND, NAMESPACE_EXISTS

IMAGES = "changeStreamPreAndPostImages"
MAJORITY = {"w": "majority", "j": True}
OLDEST_SERVER = (6, 0)
_WIRE_VERSION_8 = 25


@dataclass(frozen=True, slots=True)
class _Index:
    """An index as MongoDB describes it, without what the server adds by itself."""

    name: str
    pattern: tuple[tuple[str, Any], ...]
    options: Mapping[str, Any] = field(default_factory=dict)

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
        StoreUnavailable: With what mends it.
    """
    hello = await driver.command({"hello": 1}, on="admin")
    sharded = hello.get("msg") == "isdbgrid"
    if "setName" not in hello and not sharded:
        raise StoreUnavailable(
            "this mongod is a standalone, which has neither transactions nor change streams: start it with "
            "`mongod --replSet rs0` and run `rs.initiate()` once in mongosh"
        )
    version = (await driver.command({"buildInfo": 1}, on="admin"))["versionArray"]
    if tuple(version[:2]) < OLDEST_SERVER:
        found = ".".join(map(str, version[:3]))
        raise StoreUnavailable(f"MongoDB {found} is too old: upgrade it to 6.0 or later, where document images exist")
    return Server(single_events=hello["maxWireVersion"] < _WIRE_VERSION_8, sharded=sharded)


async def prepare(driver: Driver, catalog: Catalog, server: Server, request_ttl: float) -> None:
    """Create what is missing of the catalog's tables and of the store's own collections, and mend what differs.

    Args:
        request_ttl: Seconds for which a request record is kept.
    """
    if server.sharded:
        await _refuse_sharded(driver, [*(table.name for table in catalog.tables), FENCE, REQUESTS])
    found = {each["name"]: each for each in await driver.rows({"listCollections": 1, "cursor": {}})}
    for table in catalog.tables:
        await _ensure_collection(driver, table.name, found.get(table.name), images=True)
        await _ensure_indexes(driver, catalog, table)
    for name in (FENCE, REQUESTS, ARRAYS, CHUNKS):
        await _ensure_collection(driver, name, found.get(name), images=False)
    await _ensure(driver, REQUESTS, [_expiry(request_ttl)])
    for name in (ARRAYS, CHUNKS):
        await _ensure(driver, name, [USE])
    await _ensure_fence(driver)


async def _refuse_sharded(driver: Driver, names: list[str]) -> None:
    """Refuse collections spread over shards: their transactions have a time of their own on every shard."""
    query = {"_id": {"$in": [f"{driver.name}.{name}" for name in names]}, "unsplittable": {"$ne": True}}
    reply = await driver.command({"find": "collections", "filter": query}, on="config")
    if spread := reply["cursor"]["firstBatch"]:
        raise StoreUnavailable(f"the collection {spread[0]['_id']!r} is sharded; Synovia needs it on one shard")


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
        raise StoreUnavailable(f"the table {name!r} cannot be kept in a view, a time series or a capped collection")
    elif images and not found["options"].get(IMAGES, {}).get("enabled"):
        await driver.command({"collMod": name, **options, "writeConcern": MAJORITY})


async def _ensure_fence(driver: Driver) -> None:
    update = {"q": {"_id": FENCE_ID}, "u": {"$setOnInsert": {"n": 0}}, "upsert": True}
    try:
        await driver.command({"update": FENCE, "updates": [update], "writeConcern": MAJORITY})
    except OperationFailure as error:
        if error.code != DUPLICATE_KEY:
            raise


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


async def _ensure_indexes(driver: Driver, catalog: Catalog, table: TableSpec) -> None:
    for index in await _ensure(driver, table.name, _declared(table)):
        if not index.options:
            catalog.name_index(table.name, [name for name, _ in index.pattern], index.name)


async def _ensure(driver: Driver, collection: str, wanted: Iterable[_Index]) -> list[_Index]:
    """Drop the store's obsolete indexes, create missing ones; tell under which names the wanted ones exist.

    Somebody else's index over the same fields serves as well: MongoDB would refuse a second one.
    """
    there = await _existing(driver, collection)
    wanted = list({(index.pattern, index.options.get("unique")): index for index in wanted}.values())
    for index in there:
        if index.name.startswith(PREFIX) and index not in wanted:
            await _drop(driver, collection, index.name)
    foreign = {(index.pattern, str(index.options)): index for index in there if not index.name.startswith(PREFIX)}
    names = [foreign.get((index.pattern, str(index.options)), index) for index in wanted]
    if missing := [index for index in names if index not in there]:
        await _create(driver, collection, missing)
    return names


async def _existing(driver: Driver, collection: str) -> list[_Index]:
    rows = await driver.rows({"listIndexes": collection, "cursor": {}})
    return [_Index(row.pop("name"), tuple(row.pop("key").items()), _options(row)) for row in rows]


def _options(row: Document) -> Document:
    return {name: value for name, value in row.items() if name not in ("v", "ns", "background") and value is not False}


async def _drop(driver: Driver, collection: str, name: str) -> None:
    try:
        await driver.command({"dropIndexes": collection, "index": name, "writeConcern": MAJORITY})
    except OperationFailure as error:
        if error.code != INDEX_NOT_FOUND:
            raise


async def _create(driver: Driver, collection: str, indexes: list[_Index]) -> None:
    command = {"createIndexes": collection, "indexes": [index.command() for index in indexes], "writeConcern": MAJORITY}
    try:
        await driver.command(command)
    except OperationFailure as error:
        if error.code != DUPLICATE_KEY:
            raise
        raise StoreUnavailable(
            f"documents of {collection!r} violate a unique index; remove one of them: {error}"
        ) from error
