"""Several hubs on one database: what serializability costs when they have to agree.

64 tasks spread over 1, 2 and 4 engines, each with a store, a log and a committer of its own, in one process. Most mutations
change a document of their own; one in fifty changes one of eight that all share. The peer of every figure is the single hub
of the same round.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

from benchmarks import sensors
from benchmarks.databases import database
from benchmarks.probe import furnish_many
from benchmarks.results import Result, Row, Setting
from synovia.engine.engine import Engine
from synovia.functions.registry import collect
from synovia.store import open_store

TASKS = 64
SHARED = 8
SHARED_SHARE = 0.02
HUBS = (1, 2, 4)
SECONDS = 2.0


async def run(setting: Setting) -> Result:
    """Measure each number of hubs in alternating rounds."""
    rounds: dict[int, list[tuple[float, float, float]]] = {count: [] for count in HUBS}
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(database(setting))
        engines = [await stack.enter_async_context(_engine(place.url)) for _ in range(max(HUBS))]
        ids = await furnish_many(setting.mongodb, place.name, [f"room {n}" for n in range(TASKS + SHARED)])
        await _round(engines, ids)
        for _ in range(setting.rounds(5)):
            for count in HUBS:
                rounds[count].append(await _round(engines[:count], ids))
    rows: list[Row] = []
    for place_in_round, (name, unit) in enumerate(
        [("serializable mutations", "/s"), ("latency p50", "ms"), ("run again or resubmitted", "%")]
    ):
        alone = median(figures[place_in_round] for figures in rounds[1])
        for count in HUBS:
            figure = median(figures[place_in_round] for figures in rounds[count])
            ratio = figure / alone if alone else float("nan")
            rows.append(Row(f"{name}, {count} hubs", figure, unit, "one hub", alone, ratio))
    return Result("hubs", tuple(rows))


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[Engine]:
    registry = collect("benchmarks", [sensors])
    store = open_store(url)
    await store.open(registry.tables)
    engine = Engine(store, registry)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
        await store.close()


async def _round(engines: list[Engine], ids: list[str]) -> tuple[float, float, float]:
    """Give mutations a second, their median latency in milliseconds, and the conflicts in a hundred of them."""
    before = sum((engine.committer.counters for engine in engines), Counter[str]())
    end = time.perf_counter() + SECONDS
    start = time.perf_counter()
    tasks = (_write(engine, number, ids, end) for number, engine in zip(range(TASKS), itertools.cycle(engines)))
    latencies = list(itertools.chain.from_iterable(await asyncio.gather(*tasks)))
    rate = len(latencies) / (time.perf_counter() - start)
    counts = sum((engine.committer.counters for engine in engines), Counter[str]()) - before
    conflicts = 100 * (counts["conflicts"] + counts["outdated"]) / max(1, counts["committed"])
    return rate, median(latencies) * 1000, conflicts


async def _write(engine: Engine, number: int, ids: list[str], end: float) -> list[float]:
    chance, latencies = random.Random(number), []
    while time.perf_counter() < end:
        sensor = ids[TASKS + chance.randrange(SHARED)] if chance.random() < SHARED_SHARE else ids[number]
        start = time.perf_counter()
        outcome = await engine.mutate(
            "sensors:set_level", {"sensorId": sensor, "level": chance.randrange(1 << 30)}, None
        )
        assert outcome.error is None, outcome.error
        latencies.append(time.perf_counter() - start)
    return latencies
