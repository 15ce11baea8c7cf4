"""Finding the nearest of 10,000 vectors in one process without sockets, and of 50,000 by a graph.

The peers are a page of 20 documents of the same table through a plain index, and comparing all vectors. The vectors of the
graph lie in 500 heaps, as those of texts do in subjects.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from bson import ObjectId
from numpy.typing import NDArray

from benchmarks import compared_vectors
from benchmarks.compared_vectors import DIMENSIONS
from benchmarks.databases import database
from benchmarks.results import Result, Row, Setting, compared, percentile
from synovia.functions.registry import collect
from synovia.store import open_store
from synovia.store.base import Batch, Store, Write
from synovia.testing import TestApp
from synovia.turns import Turns
from synovia.vectors.scores import Metric, Target
from synovia.vectors.segment import Segment

DOCUMENTS, FEW = 10_000, 2_000
IN_GRAPH, FEW_IN_GRAPH = 50_000, 10_000
_AT_ONCE = 500
_CALLS = 20
_HEAPS = 500
_WANTED = 10

Vectors = NDArray[np.float32]


async def run(setting: Setting) -> Result:
    """Measure on both stores, and the graph by itself."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        async with _app(open_store(f"sqlite:///{Path(folder) / 'data.db'}"), setting) as app:
            rows += await _measure(app, setting, "SQLite")
    async with database(setting) as chosen, _app(open_store(chosen.url), setting) as app:
        rows += await _measure(app, setting, "MongoDB")
    return Result("nearest", (*rows, *await _graph(setting)))


@asynccontextmanager
async def _app(store: Store, setting: Setting) -> AsyncIterator[TestApp]:
    async with TestApp(collect("compared_vectors", [compared_vectors]), store) as app:
        vectors = _heaps(FEW if setting.quick else DOCUMENTS)
        for start in range(0, len(vectors), _AT_ONCE):
            writes = [_write(vector, start + place) for place, vector in enumerate(vectors[start : start + _AT_ONCE])]
            await app.engine.wait_for(await store.commit(Batch(writes)))
        yield app


def _heaps(number: int, dimensions: int = DIMENSIONS, seed: int = 1) -> Vectors:
    chance = np.random.default_rng(1)
    heaps = chance.normal(size=(_HEAPS, dimensions))
    chance = np.random.default_rng(seed)
    return (heaps[chance.integers(_HEAPS, size=number)] + chance.normal(size=(number, dimensions)) / 2).astype(
        np.float32
    )


def _write(vector: Vectors, rank: int) -> Write:
    document = {"_id": ObjectId(), "rank": rank // 20, "embedding": vector.astype(float).tolist()}
    return Write("compared", document["_id"], None, document)


async def _measure(app: TestApp, setting: Setting, store: str) -> list[Row]:
    asked = iter([*_heaps(2_000, seed=2).astype(float).tolist()] * 10)

    def nearest() -> Awaitable[object]:
        return app.trusted.query("compared_vectors:nearest", {"vector": next(asked)})

    def page() -> Awaitable[object]:
        return app.trusted.query("compared_vectors:page", {"rank": 5})

    def add(table: str) -> Awaitable[object]:
        return app.trusted.mutation(f"compared_vectors:add_{table}", {"vector": next(asked)})

    begin = time.perf_counter()
    await nearest()
    first = 1_000 * (time.perf_counter() - begin)
    await page()
    rows = [
        compared(f"{store}: the first search", "ms", [first], "a page", [await _median(page)]),
        await _compare(f"{store}: the 10 nearest", nearest, "a page", page, setting),
    ]
    async with app.trusted.subscribe("compared_vectors:nearest", {"vector": next(asked)}):
        name = f"{store}: inserting beside a live search"
        rows.append(await _compare(name, lambda: add("compared"), "a plain table", lambda: add("plain"), setting))
    return rows


async def _compare(
    name: str,
    call: Callable[[], Awaitable[object]],
    peer: str,
    other: Callable[[], Awaitable[object]],
    setting: Setting,
) -> Row:
    rounds = [(await _median(call), await _median(other)) for _ in range(setting.rounds(5))]
    figures, peers = zip(*rounds, strict=True)
    return compared(name, "ms", figures, peer, peers)


async def _median(call: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(_CALLS):
        begin = time.perf_counter()
        await call()
        times.append(1_000 * (time.perf_counter() - begin))
    return percentile(times, 50)


async def _graph(setting: Setting) -> list[Row]:
    number = FEW_IN_GRAPH if setting.quick else IN_GRAPH
    segment, dimensions = Segment(128), 128
    for place, vector in enumerate(_heaps(number, dimensions)):
        segment.put(place.to_bytes(8), place, vector)
    await segment.build(Metric.COSINE)
    near, all_, hits = list[float](), list[float](), 0
    asked = _heaps(100, dimensions, seed=3)
    for vector in asked:
        target, begin = Target(vector, Metric.COSINE), time.perf_counter()
        found = segment.near(target, 4 * (_WANTED + 32))
        between = time.perf_counter()
        exact, _ = await segment.candidates(target, _WANTED, Turns())
        near.append(1_000 * (between - begin))
        all_.append(1_000 * (time.perf_counter() - between))
        best = sorted(exact, key=lambda each: -target.score(each[2]))[:_WANTED]
        hits += len({each[1] for each in found or ()} & {each[1] for each in best})
    name = f"{number:,} vectors of 128 dimensions in a graph"
    recall = 100 * hits / (_WANTED * len(asked))
    return [
        compared(f"{name}: a search", "ms", [percentile(near, 50)], "comparing all", [percentile(all_, 50)]),
        compared(f"{name}: of the 10 nearest are found", "%", [recall], "comparing all", [100.0]),
    ]
