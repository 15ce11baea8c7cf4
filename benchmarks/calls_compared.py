"""How long calls take beside others, and a table filled for them on both stores, in one process without sockets."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType

from benchmarks.databases import database
from benchmarks.results import Row, Setting, compared, percentile
from synovia.functions.registry import collect
from synovia.store import open_store
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

Call = Callable[[], Awaitable[object]]
Writes = Callable[[], Iterator[Write]]
_AT_ONCE = 500
_CALLS = 20


async def filled_apps(module: ModuleType, writes: Writes, setting: Setting) -> AsyncIterator[tuple[str, TestApp]]:
    """Give an application, with what is written first, on each store in turn, with the name of the store."""
    with tempfile.TemporaryDirectory() as folder:
        async with _filled(module, f"sqlite:///{Path(folder) / 'data.db'}", writes()) as app:
            yield "SQLite", app
    async with database(setting) as chosen, _filled(module, chosen.url, writes()) as app:
        yield "MongoDB", app


@asynccontextmanager
async def _filled(module: ModuleType, store: str, writes: Iterator[Write]) -> AsyncIterator[TestApp]:
    async with TestApp(collect(module.__name__.rpartition(".")[2], [module]), open_store(store)) as app:
        while some := [*islice(writes, _AT_ONCE)]:
            await app.engine.wait_for(await app.store.commit(Batch(some)))
        yield app


async def compare(name: str, call: Call, peer: str, other: Call, setting: Setting) -> Row:
    """Compare the medians of two calls, in rounds that alternate."""
    await call()
    await other()
    rounds = [(await median(call), await median(other)) for _ in range(setting.rounds(5))]
    figures, peers = zip(*rounds, strict=True)
    return compared(name, "ms", figures, peer, peers)


async def median(call: Call) -> float:
    """Tell how many milliseconds a call takes."""
    times = []
    for _ in range(_CALLS):
        begin = time.perf_counter()
        await call()
        times.append(1_000 * (time.perf_counter() - begin))
    return percentile(times, 50)
