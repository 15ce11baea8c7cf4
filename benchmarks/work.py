"""A healthy client beside somebody whose queries and mutations take long: its latency calm, and beside that.

Of each kind there is one hub with default limits on each store, and a room of many sensors that only the flooder looks at.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.databases import database
from benchmarks.flooder import WORK, flooder
from benchmarks.floods import flood, samples
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import Probe, furnish, probe, room
from benchmarks.processes import Child
from benchmarks.results import Aim, Result, Row, Setting, compared_latencies
from synovia.limits.settings import HubLimits
from synovia_client import Client

SENSORS = 5_000
_LOOK_SECONDS = 0.25
_IDLE_SHARE = 0.1
_AIM = Aim(3.0)


async def run(setting: Setting) -> Result:
    """Measure each kind on both stores in alternating rounds, calm and flooded."""
    rows = await _on(EMBEDDED, "embedded", setting)
    async with database(setting) as chosen:
        rows += await _on(chosen.url, "MongoDB", setting)
    return Result("work", tuple(rows))


async def _on(store: str, name: str, setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for kind in WORK:
        async with _stage(store, name, setting) as (running, probing, flooding):
            rows += await _rows(kind, name, setting, running, probing, flooding)
    return rows


@asynccontextmanager
async def _stage(store: str, name: str, setting: Setting) -> AsyncIterator[tuple[HubProcess, Probe, Child]]:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(store, setting, f"work {name}", HubLimits()))
        await fill(running.url, "large", SENSORS)
        sensors = await furnish(running.url, "a", 10)
        probing = await stack.enter_async_context(probe(running.url, [room("a")], sensors))
        flooding = await stack.enter_async_context(flooder())
        await samples(probing)
        yield running, probing, flooding


async def fill(url: str, name: str, count: int) -> str:
    """Put many sensors into a room; give the id of one of them."""
    sensor = ""
    async with Client(url, proxy=None) as client:
        for first in range(0, count, 5_000):
            args = {"room": name, "first": first, "count": min(5_000, count - first)}
            sensor = await client.mutation("sensors:add_many", args)
    return sensor


async def _idle(running: HubProcess) -> None:
    """Wait until a hub has done what a flood has left it to do: only then is it calm again."""
    before = await running.cpu()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = await running.cpu()
        if now - before < _IDLE_SHARE * _LOOK_SECONDS:
            return
        before = now


async def _rows(
    kind: str, store: str, setting: Setting, running: HubProcess, probing: Probe, flooding: Child
) -> list[Row]:
    calm, flooded = [], []
    for _ in range(setting.rounds(5)):
        calm.append(await samples(probing))
        async with flood(kind, running, flooding):
            flooded.append(await samples(probing))
        await _idle(running)
    return compared_latencies(f"{kind}, {store}", flooded, calm, {50: _AIM, 95: _AIM})
