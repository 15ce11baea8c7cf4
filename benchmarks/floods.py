"""A healthy client beside somebody who floods the hub from another address: its latency calm, and flooded.

The hub has its default limits and the embedded store, where the calm latency is lowest and a disturbance shows most. The
flooder has a process of its own at the lowest priority, as it would not run on the hub's machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.flooder import KINDS, flooder
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import Probe, furnish, probe, room
from benchmarks.processes import Child
from benchmarks.results import Aim, Result, Row, Setting, compared_latencies
from synovia.limits.settings import HubLimits

SAMPLES = 60
PACE = 0.01
_AIM = Aim(3.0)
_MEMORY = Aim(4.0)


async def run(setting: Setting) -> Result:
    """Measure each kind of flood in alternating rounds, calm and flooded."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, "floods", HubLimits()))
        sensors = await furnish(running.url, "a", 10)
        probing = await stack.enter_async_context(probe(running.url, [room("a")], sensors))
        flooding = await stack.enter_async_context(flooder())
        await samples(probing)
        before = await running.memory()
        rows = [row for kind in KINDS for row in await _rows(kind, setting, running, probing, flooding)]
        after = await running.memory()
    memory = Row("memory of the hub after all of them", after, "MiB", "before", before, after / before, _MEMORY)
    return Result("floods", (*rows, memory))


async def _rows(kind: str, setting: Setting, running: HubProcess, probing: Probe, flooding: Child) -> list[Row]:
    calm, flooded = [], []
    for _ in range(setting.rounds(5)):
        calm.append(await samples(probing))
        async with flood(kind, running, flooding):
            flooded.append(await samples(probing))
    return compared_latencies(kind, flooded, calm, {50: _AIM, 95: None})


@asynccontextmanager
async def flood(kind: str, running: HubProcess, flooding: Child) -> AsyncIterator[None]:
    """Have somebody flood the hub as long as the block runs."""
    await flooding.ask("start", kind, running.port)
    yield
    sent, ended = await flooding.ask("stop")
    if not sent and not ended:
        raise RuntimeError(f"{kind}: nothing was sent")


async def samples(probing: Probe) -> list[float]:
    """Give the times, in ms, that some writes take to arrive."""
    found = []
    for _ in range(SAMPLES):
        found.append(await probing.seconds() * 1000)
        await asyncio.sleep(PACE)
    return found
