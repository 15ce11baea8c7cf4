"""Serializable mutations per second through the socket from 64 clients, one at a time each.

The peer is plain PyMongo: 64 tasks, each with one transaction after the other that reads and writes the same documents.
It keeps no record of requests, by which the hub runs each of them exactly once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmarks.databases import database
from benchmarks.drivers import drivers
from benchmarks.hub import hub
from benchmarks.probe import furnish_many
from benchmarks.processes import Child, Pipe, answer_all, child
from benchmarks.results import Aim, Result, Setting, compared

CLIENTS = 64
SECONDS = 2.0
_SNAPSHOT, _DURABLE = ReadConcern("snapshot"), WriteConcern("majority", j=True)


async def run(setting: Setting) -> Result:
    """Measure in alternating rounds; every client writes a document of its own."""
    async with AsyncExitStack() as stack:
        ours, theirs = [await stack.enter_async_context(database(setting)) for _ in range(2)]
        running = await stack.enter_async_context(hub(ours.url, setting, "mutations"))
        rooms = [f"room {number}" for number in range(CLIENTS)]
        driving = await stack.enter_async_context(drivers())
        await driving.join(running.port, await furnish_many(setting.mongodb, ours.name, rooms))
        sensors = await furnish_many(setting.mongodb, theirs.name, rooms)
        peer = await stack.enter_async_context(_transactions(setting.mongodb, theirs.name, sensors))
        figures, peers = [], []
        await driving.rate(SECONDS)
        for _ in range(setting.rounds(7)):
            figures.append(await driving.rate(SECONDS))
            peers.append(float(await peer.ask("rate", SECONDS)))
    name = f"mutations of {CLIENTS} clients"
    return Result(
        "mutations", (compared(name, "/s", figures, "bare PyMongo transactions", peers, Aim(1.0, at_least=True)),)
    )


@asynccontextmanager
async def _transactions(uri: str, name: str, sensors: list[str]) -> AsyncIterator[Child]:
    async with child("transactions", _main, uri, name, sensors) as process:
        yield process


def _main(pipe: Pipe, uri: str, name: str, sensors: list[str]) -> None:
    asyncio.run(_serve(pipe, uri, name, [ObjectId(each) for each in sensors]))


async def _serve(pipe: Pipe, uri: str, name: str, sensors: list[ObjectId]) -> None:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:

        async def rate(seconds: float) -> float:
            start = time.perf_counter()
            counts = await asyncio.gather(*(_write(client, name, each, start + seconds) for each in sensors))
            return sum(counts) / (time.perf_counter() - start)

        await answer_all(pipe, {"rate": rate})


async def _write(client: AsyncMongoClient[dict[str, Any]], name: str, sensor: ObjectId, end: float) -> int:
    documents, count = client[name]["sensors"], 0
    while time.perf_counter() < end:
        async with (
            client.start_session() as session,
            await session.start_transaction(read_concern=_SNAPSHOT, write_concern=_DURABLE),
        ):
            document = await documents.find_one({"_id": sensor}, session=session)
            assert document is not None
            await documents.replace_one({"_id": sensor}, document | {"level": document["level"] + 1}, session=session)
        count += 1
    return count
