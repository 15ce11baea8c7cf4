"""Two clients of one hub: one writes, the other watches what it writes."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import perf_counter
from typing import Any

import numpy as np
from pymongo import AsyncMongoClient

from benchmarks.crowd import Query
from synovia_client import Client

_PATIENCE = 60.0
_NUMBERS = itertools.count(1)  # no two writes of a run set the same level


class Probe:
    """Writes levels, and tells how long they take to arrive.

    Args:
        writer, watcher: Two clients of one hub.
        sensors: Ids of the sensors to write to, which take turns.
    """

    def __init__(self, writer: Client, watcher: Client, sensors: Sequence[str]) -> None:
        self.writer = writer
        self._watcher = watcher
        self._sensors = itertools.cycle(sensors)
        self._arrivals: defaultdict[str, dict[int, asyncio.Future[float]]] = defaultdict(dict)

    async def write(self) -> None:
        """Change one field of one document."""
        await self._set_level(next(self._sensors), next(_NUMBERS))

    async def seconds(self) -> float:
        """Give the time from the call of a mutation to the arrival of its result, or a later one, at the other client."""
        sensor, level = next(self._sensors), next(_NUMBERS)
        arrival: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._arrivals[sensor][level] = arrival
        start = perf_counter()
        async with asyncio.timeout(_PATIENCE):
            await self._set_level(sensor, level)
            return await arrival - start

    async def _set_level(self, sensor: str, level: int) -> None:
        await self.writer.mutation("sensors:set_level", {"sensorId": sensor, "level": level})

    async def watch(self, queries: Sequence[Query]) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for path, args in queries:
                tasks.create_task(self._watch(path, args))

    async def _watch(self, path: str, args: dict[str, Any]) -> None:
        async for sensors in self._watcher.subscribe(path, args):
            now = perf_counter()
            for sensor in sensors:
                self._arrived(sensor["_id"], sensor["level"], now)

    def _arrived(self, sensor: str, level: int, now: float) -> None:
        # Writes of one sensor that are under way together may be shown as one.
        arrivals = self._arrivals[sensor]
        for number in [number for number in arrivals if number <= level]:
            arrivals.pop(number).set_result(now)


@asynccontextmanager
async def probe(url: str, queries: Sequence[Query], sensors: Sequence[str]) -> AsyncIterator[Probe]:
    """Connect the two clients; one watches the queries already."""
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(Client(url, proxy=None))
        watcher = await stack.enter_async_context(Client(url, proxy=None))
        probing = Probe(writer, watcher, sensors)
        watching = asyncio.create_task(probing.watch(queries), name="watching")
        try:
            await probing.seconds()
            yield probing
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def room(name: str) -> Query:
    """Give the query for all sensors of a room."""
    return "sensors:in_room", {"room": name}


async def furnish(url: str, name: str, count: int, *, trace: bool = False, curve: bool = False) -> list[str]:
    """Put sensors into a room; ``trace``, ``curve``: the first one carries 1,000 floats apart or inside; give their ids."""
    samples = np.random.default_rng(1).normal(size=1_000)
    ids = []
    async with Client(url, proxy=None) as client:
        for rank in range(count):
            args: dict[str, Any] = {"room": name, "rank": rank}
            if rank == 0:
                args |= {"trace": samples} if trace else {"curve": samples.tolist()} if curve else {}
            ids.append(await client.mutation("sensors:add", args))
    return ids


async def furnish_many(uri: str, database: str, rooms: Sequence[str]) -> list[str]:
    """Put one sensor into each room, past the hub, as any program could; give their ids."""
    documents = [{"room": name, "rank": 0, "label": f"sensor 0 of {name}", "level": 0} for name in rooms]
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        inserted = await client[database]["sensors"].insert_many(documents)
    return [str(number) for number in inserted.inserted_ids]
