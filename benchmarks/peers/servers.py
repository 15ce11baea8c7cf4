"""The servers that are compared, each with a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient

from benchmarks.databases import database
from benchmarks.hub import hub
from benchmarks.node import node_program
from benchmarks.peers.broadcaster import broadcaster
from benchmarks.peers.broker import broker
from benchmarks.peers.dialects import Broadcaster, Broker, Dialect, Feathers, Synovia
from benchmarks.peers.installed import script
from benchmarks.results import Setting
from synovia.limits.settings import HubLimits

LIMITS = HubLimits(idle_timeout=3600.0, max_connections_per_address=1_000)
"""A hub's own, but that clients may be silent, and more than 500 may come from one address."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        cpu: Tells the CPU seconds it has used.
        sensors: By room, the id of its first sensor.
    """

    name: str
    port: int
    dialect: Dialect
    cpu: Callable[[], Awaitable[float]]
    sensors: dict[str, str]


@asynccontextmanager
async def synovia(setting: Setting, rooms: dict[str, int]) -> AsyncIterator[Server]:
    async with database(setting) as place:
        sensors = await _furnish(setting, place.name, rooms)
        async with hub(place.url, setting, "peers", LIMITS) as running:
            yield Server("Synovia", running.port, Synovia(), running.cpu, sensors)


@asynccontextmanager
async def feathers(setting: Setting, rooms: dict[str, int]) -> AsyncIterator[Server]:
    node, program = await script("feathers.mjs")
    async with database(setting) as place:
        sensors = await _furnish(setting, place.name, rooms)
        arguments = (setting.mongodb, place.name)
        async with node_program("feathers", program, *arguments, patience=60.0, node=node) as running:

            async def cpu() -> float:
                return float(await running.ask("cpu"))

            yield Server("Feathers", int(await running.ask("port")), Feathers(), cpu, sensors)


@asynccontextmanager
async def broadcasting(setting: Setting, rooms: dict[str, int]) -> AsyncIterator[Server]:
    async with database(setting) as place:
        sensors = await _furnish(setting, place.name, rooms)
        async with broadcaster(setting.mongodb, place.name) as running:

            async def cpu() -> float:
                return float(await running.ask("cpu"))

            yield Server("FastAPI broadcaster", int(await running.ask("port")), Broadcaster(), cpu, sensors)


@asynccontextmanager
async def bare_broker(setting: Setting, rooms: dict[str, int]) -> AsyncIterator[Server]:
    async with broker() as running:

        async def cpu() -> float:
            return float(await running.ask("cpu"))

        yield Server("bare broker", int(await running.ask("port")), Broker(), cpu, dict.fromkeys(rooms, "0" * 24))


SERVERS: Sequence[Callable[[Setting, dict[str, int]], AbstractAsyncContextManager[Server]]] = (
    synovia,
    feathers,
    broadcasting,
    bare_broker,
)


async def _furnish(setting: Setting, name: str, rooms: dict[str, int]) -> dict[str, str]:
    """Put sensors into rooms, as any program could."""
    documents: list[dict[str, Any]] = [
        {"room": room, "rank": rank, "label": f"sensor {rank} of {room}", "level": 0}
        for room, count in rooms.items()
        for rank in range(count)
    ]
    async with AsyncMongoClient[dict[str, Any]](setting.mongodb) as client:
        sensors = client[name]["sensors"]
        await sensors.create_index([("room", 1), ("rank", 1)])
        await sensors.insert_many(documents)
    return {each["room"]: str(each["_id"]) for each in reversed(documents)}
