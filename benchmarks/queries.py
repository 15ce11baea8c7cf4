"""10,000 distinct live queries, of which a write touches one: its latency against the same with 10 live queries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.crowd import crowd
from benchmarks.databases import database
from benchmarks.hub import hub
from benchmarks.probe import Probe, furnish_many, probe, room
from benchmarks.results import Aim, Result, Setting, compared, percentile

MANY = 10_000
FEW = 10
HELD = 10  # queries of one client; the one that is measured holds as many as every other
SAMPLES = 60


@asynccontextmanager
async def _stage(setting: Setting, rooms: list[str], queries: int) -> AsyncIterator[Probe]:
    """Run a hub on a database with all the rooms, of which ``queries`` are watched."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(database(setting))
        running = await stack.enter_async_context(hub(ours.url, setting, f"queries-{queries}"))
        sensors = await furnish_many(setting.mongodb, ours.name, rooms)
        others = await stack.enter_async_context(crowd(f"of {queries} queries"))
        held = [[room(name) for name in rooms[start : start + HELD]] for start in range(HELD, queries, HELD)]
        await others.join_hub(running.port, held)
        watched = [room(name) for name in rooms[:HELD]]
        probing = await stack.enter_async_context(probe(running.url, watched, sensors[:HELD]))
        await running.loaded(queries)
        yield probing


async def run(setting: Setting) -> Result:
    """Measure both hubs in alternating rounds."""
    many = 1_000 if setting.quick else MANY
    rooms = [f"room {number}" for number in range(many)]
    async with _stage(setting, rooms, FEW) as quiet, _stage(setting, rooms, many) as busy:
        rounds = [(await _samples(busy), await _samples(quiet)) for _ in range(setting.rounds(9))]
    return Result(
        "queries",
        tuple(
            compared(
                f"latency with {many:,} live queries, p{percent}",
                "ms",
                [percentile(ours, percent) for ours, _ in rounds],
                f"with {FEW}",
                [percentile(few, percent) for _, few in rounds],
                Aim(1.2) if percent == 50 else None,
            )
            for percent in (50, 95)
        ),
    )


async def _samples(probing: Probe) -> list[float]:
    return [await probing.seconds() * 1000 for _ in range(SAMPLES)]
