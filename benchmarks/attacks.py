"""A healthy client beside somebody who attacks one part of the hub: its latency calm, and beside that.

Of each kind there is a hub of its own with default limits, on each store. What the other is told, and how often, stands
behind the name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.attack_frames import ATTACKS, OPERATORS, WRITING
from benchmarks.databases import database
from benchmarks.flooder import flooder
from benchmarks.floods import samples
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import furnish, probe, room
from benchmarks.processes import Child
from benchmarks.results import Aim, Result, Row, Setting, compared_latencies
from benchmarks.work import fill
from synovia.limits.settings import HubLimits
from synovia_client import Client

PAPERS = 1_000
SENSORS = 2_000
_AIM = Aim(3.0)
_MODULES = ("sensors", "attacked")
KINDS = (*ATTACKS, *WRITING)


async def run(setting: Setting) -> Result:
    """Measure each kind on both stores in alternating rounds, calm and attacked."""
    rows = [row for kind in KINDS for row in await rows_of(kind, setting)]
    for kind in KINDS:
        async with database(setting) as chosen:
            rows += await rows_of(kind, setting, chosen.url, "MongoDB")
    return Result("attacks", tuple(rows))


async def rows_of(kind: str, setting: Setting, store: str = EMBEDDED, name: str = "embedded") -> list[Row]:
    """Measure one kind on a store of some name."""
    calm, attacked, told = [], [], ""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(store, setting, "attacks", HubLimits(), modules=_MODULES))
        paper = await _furnish_papers(running.url)
        sensors = await furnish(running.url, "a", 10)
        probing = await stack.enter_async_context(probe(running.url, [room("a")], sensors))
        flooding = await stack.enter_async_context(flooder())
        token = await running.operator_token(OPERATORS[kind]) if kind in OPERATORS else ""
        await samples(probing)
        before = await running.memory()
        for _ in range(setting.rounds(5)):
            calm.append(await samples(probing))
            async with _attacking(kind, running, flooding, token, paper):
                attacked.append(await samples(probing))
            told = str(await flooding.ask("told"))
        after = await running.memory()
    rows = compared_latencies(f"{kind}, {name} ({told})", attacked, calm, {50: _AIM, 95: _AIM})
    return [*rows, Row(f"most memory of the hub, {kind}, {name}", after, "MiB", "before", before, after / before)]


@asynccontextmanager
async def _attacking(kind: str, running: HubProcess, flooding: Child, token: str, paper: str) -> AsyncIterator[None]:
    await flooding.ask("attack", kind, running.port, token, paper)
    yield
    sent, ended = await flooding.ask("stop")
    if not sent and not ended:
        raise RuntimeError(f"{kind}: nothing was sent")


async def _furnish_papers(url: str) -> str:
    """Put in what is searched, guarded and gone over; give the id of a document that can be written together."""
    await fill(url, "large", SENSORS)
    async with Client(url, proxy=None) as client:
        await client.mutation("attacked:guard", {})
        return str(await client.mutation("attacked:add_many", {"count": PAPERS}))
