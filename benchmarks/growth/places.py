"""Databases that are filled from outside, past any hub, and the CPU time that they take."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from bson import Binary, ObjectId
from pymongo import AsyncMongoClient, UpdateOne
from pymongo.errors import OperationFailure

from benchmarks import sensors
from benchmarks.databases import database
from benchmarks.processes import process_cpu
from benchmarks.results import Setting
from synovia.functions.registry import collect
from synovia.schema.specs import Document
from synovia.store import Batch, Store, Write, open_store
from synovia.store.mongo.catalog import REQUESTS
from synovia.store.mongo.commit import request_id

ROOM = "large"
LARGEST_REPLAY = 100_000
"""More than so many new commits are not followed."""
_TABLE = "sensors"
_STEP = 5_000
_TABLES = collect("benchmarks", [sensors]).tables
_BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def sensor_id(number: int) -> ObjectId:
    """Give the id of a sensor that a place is filled with."""
    return ObjectId(_BEGIN.to_bytes(4) + number.to_bytes(8))


def documents(first: int, count: int) -> list[Document]:
    """Make sensors of one room, whose rank is their number."""
    return [
        {"_id": sensor_id(number), "room": ROOM, "rank": number, "label": f"sensor {number}", "level": 0}
        for number in range(first, first + count)
    ]


class Place(Protocol):
    """A database: no hub may run on it while it is filled.

    Attributes:
        store: SQLite or MongoDB.
    """

    store: str

    @property
    def url(self) -> str: ...

    async def fill(self, first: int, count: int) -> None:
        """Insert the sensors from the first number on."""
        ...

    async def record(self, count: int) -> None:
        """Leave behind what so many commits leave, each a mutation that changed one of the first sensors."""
        ...

    def cpu(self) -> float:
        """Tell the CPU seconds of the database beside the hub so far: none if it is in the hub, or not on this machine."""
        ...


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """Open a store with the tables of the benchmarks."""
    store = open_store(url)
    await store.open(_TABLES)
    try:
        yield store
    finally:
        await store.close()


@dataclass
class SQLitePlace:
    file: Path
    store: str = "SQLite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    async def fill(self, first: int, count: int) -> None:
        async with opened(self.url) as store:
            for start in range(first, first + count, _STEP):
                rows = documents(start, min(_STEP, first + count - start))
                await store.commit(Batch([Write(_TABLE, row["_id"], None, row) for row in rows]))

    async def record(self, count: int) -> None:
        """Write the rows of the history themselves: a commit for each would wait for the disk a million times."""
        async with opened(self.url):
            pass
        with sqlite3.connect(self.file) as connection:
            ts, fence, now = (*_newest(connection), time.time())
            number, ids = _first_documents(connection)
            rows = range(1, count + 1)
            connection.executemany("INSERT INTO commits VALUES (?, ?, ?)", ((ts + n, fence + n, now) for n in rows))
            connection.executemany(
                "INSERT INTO log VALUES (?, 0, ?, ?)", ((ts + n, number, ids[n % len(ids)][0]) for n in rows)
            )
            connection.executemany(
                "INSERT INTO past_docs (tbl, id, since, until, body) VALUES (?, ?, ?, ?, ?)",
                ((number, ids[n % len(ids)][0], ts + n - len(ids), ts + n, ids[n % len(ids)][1]) for n in rows),
            )
            connection.executemany(
                "INSERT INTO requests VALUES (?, ?, ?, ?)", ((secrets.token_bytes(16), 1, now, b"\xc0") for _ in rows)
            )
            connection.executemany(
                "UPDATE docs SET since = ? WHERE tbl = ? AND id = ?",
                ((ts + count - (count - place) % len(ids), number, id_) for place, (id_, _) in enumerate(ids)),
            )
        connection.close()

    def cpu(self) -> float:
        return 0.0


def _newest(connection: sqlite3.Connection) -> tuple[int, int]:
    ts, fence = connection.execute("SELECT ts, fence FROM commits ORDER BY ts DESC LIMIT 1").fetchone()
    return ts, fence


def _first_documents(connection: sqlite3.Connection) -> tuple[int, list[tuple[bytes, bytes]]]:
    (number,) = connection.execute("SELECT tbl FROM tables WHERE name = ?", (_TABLE,)).fetchone()
    rows = connection.execute("SELECT id, body FROM docs WHERE tbl = ? ORDER BY id LIMIT 100", (number,)).fetchall()
    return number, rows


@dataclass
class MongoPlace:
    url: str
    client: AsyncMongoClient[dict[str, Any]] = field(repr=False)
    name: str
    process: int | None
    store: str = "MongoDB"

    async def fill(self, first: int, count: int) -> None:
        async with opened(self.url):  # with its indexes
            pass
        for start in range(first, first + count, _STEP):
            rows = documents(start, min(_STEP, first + count - start))
            await self.client[self.name][_TABLE].insert_many(rows, ordered=False)

    async def record(self, count: int) -> None:
        """Change documents, as any program could, and write request records, which of a hub's commits stay."""
        now, ids = datetime.now(UTC), [sensor_id(number) for number in range(100)]
        for start in range(0, count, _STEP):
            rows: list[dict[str, Any]] = [
                {"_id": Binary(request_id(secrets.token_bytes(16), 1)), "result": b"\xc0", "createdAt": now}
                for _ in range(min(_STEP, count - start))
            ]
            await self.client[self.name][REQUESTS].insert_many(rows, ordered=False)
        for start in range(0, count if count <= LARGEST_REPLAY else 0, _STEP):
            changes = [
                UpdateOne({"_id": ids[n % len(ids)]}, {"$inc": {"level": 1}}) for n in range(min(_STEP, count - start))
            ]
            await self.client[self.name][_TABLE].bulk_write(changes)

    def cpu(self) -> float:
        return 0.0 if self.process is None else process_cpu(self.process)


@asynccontextmanager
async def sqlite_place() -> AsyncIterator[Place]:
    """Give a file that goes with the block."""
    with TemporaryDirectory(prefix="synovia-growth-") as folder:
        yield SQLitePlace(Path(folder) / "growth.sqlite")


@asynccontextmanager
async def mongo_place(setting: Setting) -> AsyncIterator[Place]:
    """Give a database that goes with the block."""
    async with database(setting) as chosen, AsyncMongoClient[dict[str, Any]](setting.mongodb) as client:
        yield MongoPlace(chosen.url, client, chosen.name, await _local_process(client))


async def _local_process(client: AsyncMongoClient[dict[str, Any]]) -> int | None:
    """Find mongod among the processes of this machine."""
    host, _ = (await client.address) or ("", 0)
    if host not in ("127.0.0.1", "localhost"):
        return None
    try:
        return int((await client.admin.command("serverStatus"))["pid"])
    except OperationFailure:
        return None


PLACES: Sequence[str] = ("SQLite", "MongoDB")
