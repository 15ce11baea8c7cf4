"""Finding the nearest of 10,000 vectors in one process without sockets, and of 50,000 by a graph.

The peers are a page of 20 documents of the same table through a plain index, and comparing all vectors. The vectors of the
graph lie in 500 heaps, as those of texts do in subjects.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterator

import numpy as np
from bson import ObjectId
from numpy.typing import NDArray

from benchmarks import compared_vectors
from benchmarks.calls_compared import compare, filled_apps, median
from benchmarks.compared_vectors import DIMENSIONS
from benchmarks.results import Result, Row, Setting, compared, percentile
from synovia.store.base import Write
from synovia.testing import TestApp
from synovia.turns import Turns
from synovia.vectors.scores import Metric, Target
from synovia.vectors.segment import Segment

DOCUMENTS, FEW = 10_000, 2_000
IN_GRAPH, FEW_IN_GRAPH = 50_000, 10_000
_HEAPS = 500
_WANTED = 10

Vectors = NDArray[np.float32]


async def run(setting: Setting) -> Result:
    """Measure on both stores, and the graph by itself."""
    rows: list[Row] = []
    async for store, app in filled_apps(compared_vectors, lambda: _writes(setting), setting):
        rows += await _measure(app, setting, store)
    return Result("nearest", (*rows, *await _graph(setting)))


def _writes(setting: Setting) -> Iterator[Write]:
    return (_write(vector, place) for place, vector in enumerate(_heaps(FEW if setting.quick else DOCUMENTS)))


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
        compared(f"{store}: the first search", "ms", [first], "a page", [await median(page)]),
        await compare(f"{store}: the 10 nearest", nearest, "a page", page, setting),
    ]
    async with app.trusted.subscribe("compared_vectors:nearest", {"vector": next(asked)}):
        name = f"{store}: inserting beside a live search"
        rows.append(await compare(name, lambda: add("compared"), "a plain table", lambda: add("plain"), setting))
    return rows


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
