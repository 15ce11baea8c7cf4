"""Connections and subscriptions that grow: what each costs, and what a change costs beside the others."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from benchmarks.crowd import Crowd, Query, crowd
from benchmarks.growth.laws import Group, Law, Point, Series
from benchmarks.growth.meter import Meter
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import furnish, probe, room
from benchmarks.results import Setting
from benchmarks.work import fill
from synovia_client import Client

COUNT = 40
HOLDERS = 10
"""Clients that hold the subscriptions between them."""
_STILL_SECONDS = 0.2


@dataclass(slots=True)
class _Held:
    """Clients of a hub, who come bit by bit."""

    running: HubProcess
    others: Crowd

    async def add(self, queries: Sequence[Sequence[Query]]) -> float:
        """Let clients come, each with its queries; give the hub's CPU seconds until they have all results.

        A client receives a welcome, and then its first results, those of many queries in several frames.
        """
        before, cpu = (await self.others.count()).frames, await self.running.cpu()
        await self.others.join_hub(self.running.port, queries)
        await self.others.expect(before + 2 * len(queries))
        await self.running.loaded(len({query for each in queries for query in map(str, each)}))
        await self._told_all()
        return await self.running.cpu() - cpu

    async def _told_all(self) -> None:
        """Wait until nothing comes any more."""
        before, now = -1, (await self.others.count()).frames
        while now != before:
            await asyncio.sleep(_STILL_SECONDS)
            before, now = now, (await self.others.count()).frames


@asynccontextmanager
async def _held(setting: Setting, name: str) -> AsyncIterator[_Held]:
    async with hub(EMBEDDED, setting, name) as running, crowd(f"of {name}") as others:
        yield _Held(running, others)


async def connections(setting: Setting, sizes: Sequence[int], count: int = COUNT) -> Group:
    """Let clients come; give the cost of one, and of a push to one beside the others."""
    joining, pushing = list[Point](), list[Point]()
    async with _held(setting, "growth connections") as held, AsyncExitStack() as stack:
        await furnish(held.running.url, "theirs", 10)
        own = await furnish(held.running.url, "own", 10)
        probing = await stack.enter_async_context(probe(held.running.url, [room("own")], own))
        connected = 0
        for size in sizes:
            new = size - connected
            joining.append(Point(size, await held.add([[room("theirs")]] * new) / new * 1e6))
            connected = size
            cost = await Meter(held.running).least(setting, lambda _: probing.seconds(), count, itertools.count())
            pushing.append(Point(size, cost))
    return Group(
        "connections",
        "connections",
        (
            Series("connect and have a first result", "SQLite", Law.FLAT, "µs", tuple(joining)),
            Series("a change told to one of them", "SQLite", Law.FLAT, "µs", tuple(pushing)),
        ),
    )


async def subscriptions(setting: Setting, sizes: Sequence[int], count: int = COUNT) -> Group:
    """Let queries be subscribed to that all differ; give the cost of one, and of a change that touches one of them."""
    adding, pushing = list[Point](), list[Point]()
    for size in sizes:
        async with _held(setting, f"growth {size} subscriptions") as held:
            await fill(held.running.url, "large", size)
            queries = [("sensors:page", {"room": "large", "first": n, "count": 1}) for n in range(size)]
            shares = [queries[n::HOLDERS] for n in range(HOLDERS)]
            adding.append(Point(size, await held.add(shares) / size * 1e6))
            pushing.append(Point(size, await _change(held, setting, queries[size // 2], count)))
    return Group(
        "subscriptions",
        "subscriptions",
        (
            Series("subscribe to a query of its own", "SQLite", Law.FLAT, "µs", tuple(adding)),
            Series("a change that touches one of them", "SQLite", Law.FLAT, "µs", tuple(pushing)),
        ),
    )


async def subscribers(setting: Setting, sizes: Sequence[int], count: int = COUNT) -> Group:
    """Let clients subscribe to one query; give the cost of a change that all of them are told."""
    telling = list[Point]()
    async with _held(setting, "growth subscribers") as held:
        await fill(held.running.url, "large", 10)
        query: Query = ("sensors:page", {"room": "large", "first": 0, "count": 1})
        joined = 0
        for size in sizes:
            await held.add([[query]] * (size - joined))
            joined = size
            telling.append(Point(size, await _change(held, setting, query, count, told=size)))
    series = Series("a change told to all, who share one query", "SQLite", Law.LINEAR, "µs", tuple(telling))
    return Group("subscriptions", "subscriptions", (series,))


async def _change(held: _Held, setting: Setting, query: Query, count: int, told: int = 1) -> float:
    async with Client(held.running.url, proxy=None) as client:
        (sensor,) = await client.query(*query)

        async def change(number: int) -> None:
            before = (await held.others.count()).frames
            await client.mutation("sensors:set_level", {"sensorId": sensor["_id"], "level": number})
            await held.others.expect(before + told)

        return await Meter(held.running).least(setting, change, count, itertools.count(sensor["level"] + 1))
