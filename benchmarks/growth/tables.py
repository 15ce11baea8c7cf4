"""A table that grows: reading one document, a page, inserting; and what one insertion costs a live query over it."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.growth.laws import Group, Law, Point, Series
from benchmarks.growth.meter import Meter
from benchmarks.growth.places import ROOM, Place, sensor_id
from benchmarks.hub import hub
from benchmarks.results import Setting
from synovia_client import Client

COUNT = 40
LARGEST_LIVE, LARGEST_READ = 100_000, 10_000
"""Live queries are measured up to here, and those that read everything: a first run has to end within its deadline."""
SMALLEST_CALLS = 1_000
"""Single calls from here on: they read another document each time, or they would find it in the hub's caches."""
_BEYOND = 1_000_000_000
"""Inserted sensors have ranks far beyond, so that each is the highest."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of one size behind a hub."""

    size: int
    client: Client
    meter: Meter
    setting: Setting
    count: int

    async def get(self) -> float:
        return await self._least(lambda n: self.client.query("sensors:one", {"sensorId": str(sensor_id(n))}))

    async def page(self) -> float:
        return await self._least(lambda n: self.client.query("sensors:page", {"room": ROOM, "first": n}))

    async def insert(self) -> float:
        return await self._least(lambda n: self._insert("elsewhere", n))

    async def live_page(self) -> float:
        return await self._live("highest", self._insert_here)

    async def live_sum(self) -> float:
        return await self._live("summed_level", self._change)

    async def live_whole(self) -> float:
        return await self._live("total_level", self._change)

    async def _live(self, function: str, write: Callable[[int], Awaitable[object]]) -> float:
        async with self.client.subscribe(f"sensors:{function}", {"room": ROOM}) as subscription:
            values = aiter(subscription)
            await anext(values)

            async def change(number: int) -> None:
                await write(number)
                await anext(values)

            return await self.meter.least(self.setting, change, self.count, itertools.count(1))

    async def _least(self, operation: Callable[[int], Awaitable[object]]) -> float:
        return await self.meter.least(self.setting, operation, self.count, _shuffled(self.size))

    async def _insert(self, room: str, rank: int) -> None:
        await self.client.mutation("sensors:add", {"room": room, "rank": rank})

    async def _insert_here(self, number: int) -> None:
        await self._insert(ROOM, (_BEYOND + self.size) * 1_000 + number)

    async def _change(self, number: int) -> None:
        sensor = str(sensor_id(self.size // 2))
        await self.client.mutation("sensors:set_level", {"sensorId": sensor, "level": number})


_Cost = Callable[[_Table], Awaitable[float]]
_CALLS: Mapping[str, tuple[Law, _Cost]] = {
    "get by id": (Law.LOG, _Table.get),
    "a page of 20 by index": (Law.LOG, _Table.page),
    "insert": (Law.LOG, _Table.insert),
}
_LIVE: Mapping[str, tuple[Law, _Cost]] = {
    "live page of 20, one insertion": (Law.LOG, _Table.live_page),
    "live sum, one change": (Law.FLAT, _Table.live_sum),
    "live query that reads everything, one change": (Law.LINEAR, _Table.live_whole),
}


async def measure(place: Place, setting: Setting, sizes: Sequence[int], count: int = COUNT) -> tuple[Group, Group]:
    """Let a table grow; give the costs of single calls, and of live queries."""
    costs: dict[str, list[Point]] = {name: [] for name in (*_CALLS, *_LIVE)}
    filled = 0
    for size in sizes:
        await place.fill(filled, size - filled)
        filled = size
        async with _table(place, setting, size, count) as table:
            for name, cost in _kinds(size):
                costs[name].append(Point(size, await cost(table)))
    return (
        Group("tables", "documents in the table", _series(place, _CALLS, costs)),
        Group("live-queries", "documents in the table", _series(place, _LIVE, costs)),
    )


def _kinds(size: int) -> Iterator[tuple[str, _Cost]]:
    """Tell what is measured at a size."""
    if size >= SMALLEST_CALLS:
        yield from ((name, cost) for name, (_, cost) in _CALLS.items())
    for name, (law, cost) in _LIVE.items():
        if size <= (LARGEST_READ if law is Law.LINEAR else LARGEST_LIVE):
            yield name, cost


def _series(
    place: Place, kinds: Mapping[str, tuple[Law, Any]], costs: Mapping[str, Sequence[Point]]
) -> tuple[Series, ...]:
    return tuple(Series(name, place.store, law, "µs", tuple(costs[name])) for name, (law, _) in kinds.items())


@asynccontextmanager
async def _table(place: Place, setting: Setting, size: int, count: int) -> AsyncIterator[_Table]:
    async with (
        hub(place.url, setting, f"growth {place.store} {size}") as running,
        Client(running.url, proxy=None) as client,
    ):
        yield _Table(size, client, Meter(running, place), setting, count)


def _shuffled(size: int) -> Iterator[int]:
    """Give numbers of sensors from all over the table: each once as long as there are enough, so that no cache has them."""
    chance = random.Random(size)
    while True:
        yield from chance.sample(range(size), min(size, 100_000))
