"""Clients that come back to a live query after so many commits that they have missed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from benchmarks.growth.laws import Group, Law, Point, Series
from benchmarks.hub import EMBEDDED, HOST, HubProcess, hub
from benchmarks.probe import furnish
from benchmarks.relay import Relay
from benchmarks.results import Setting
from synovia_client import Client, Subscription

CLIENTS = 20
_AT_ONCE = 20
_PATIENCE = 60.0


async def measure(setting: Setting, sizes: Sequence[int]) -> Group:
    """Cut all of them off, commit, and let them come back.

    What they have missed is rolled over what the hub kept of the query, once for all of them, as far as its window of
    commits reaches; beyond that the query is run again.
    """
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, "growth coming back"))
        sensors = await furnish(running.url, "a", 20)
        relay = await stack.enter_async_context(Relay.running(running.port))
        writer = await stack.enter_async_context(Client(running.url, proxy=None))
        address = f"ws://{HOST}:{relay.port}"
        readers = [await stack.enter_async_context(Client(address, proxy=None)) for _ in range(CLIENTS)]
        shown = [await stack.enter_async_context(each.subscribe("sensors:in_room", {"room": "a"})) for each in readers]
        levels = _Levels(writer, sensors)
        await _see(shown, await levels.change(1))
        points = [Point(size, await _least(running, relay, levels, shown, size, setting)) for size in sizes]
    series = Series("a client comes back that missed so many", "SQLite", Law.LINEAR, "µs", tuple(points))
    return Group("log", "commits", (series,))


class _Levels:
    """Writes, several at a time; the last level is the newest of the first sensor."""

    def __init__(self, writer: Client, sensors: Sequence[str]) -> None:
        self._writer = writer
        self._sensors = sensors
        self._newest = 0

    async def change(self, count: int) -> int:
        for start in range(0, count - 1, _AT_ONCE):
            async with asyncio.TaskGroup() as tasks:
                for number in range(start, min(start + _AT_ONCE, count - 1)):
                    tasks.create_task(self._set(self._sensors[number % len(self._sensors)], number))
        self._newest += 1
        await self._set(self._sensors[0], -self._newest)
        return -self._newest

    async def _set(self, sensor: str, level: int) -> None:
        await self._writer.mutation("sensors:set_level", {"sensorId": sensor, "level": level})


async def _least(
    running: HubProcess,
    relay: Relay,
    levels: _Levels,
    shown: Sequence[Subscription[object]],
    size: int,
    setting: Setting,
) -> float:
    """Give the microseconds of the hub's CPU for one client, of the best round."""
    rounds = []
    for _ in range(setting.rounds(3)):
        relay.cut()
        newest = await levels.change(size)
        before = await running.cpu()
        relay.mend()
        await _see(shown, newest)
        rounds.append((await running.cpu() - before) / CLIENTS * 1e6)
    return min(rounds)


async def _see(shown: Sequence[Subscription[object]], newest: int) -> None:
    async with asyncio.timeout(_PATIENCE), asyncio.TaskGroup() as tasks:
        for each in shown:
            tasks.create_task(_see_one(each, newest))


async def _see_one(shown: Subscription[object], newest: int) -> None:
    async for sensors in shown:
        assert isinstance(sensors, list)
        if sensors[0]["level"] == newest:
            return
