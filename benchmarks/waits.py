"""The longest that others wait while somebody inserts, and then changes, as many documents as one mutation may.

On each store a hub with default limits. One client holds a live query that reads all of these documents and writes them;
of two others one writes and the other sees it, and a third asks a query again and again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any

from benchmarks.databases import database
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import Probe, furnish, probe, room
from benchmarks.results import Result, Row, Setting, limited
from synovia.limits.settings import HubLimits
from synovia_client import Client

DOCUMENTS = HubLimits().max_mutation_documents
_LIMIT_MS = 1_000.0
_PACE = 0.002
Waits = defaultdict[str, list[float]]


async def run(setting: Setting) -> Result:
    """Measure on both stores."""
    rows = await _on(EMBEDDED, "embedded", setting)
    async with database(setting) as chosen:
        rows += await _on(chosen.url, "MongoDB", setting)
    return Result("waits", tuple(rows))


async def _on(store: str, name: str, setting: Setting) -> list[Row]:
    waits: Waits = defaultdict(list)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(store, setting, f"waits {name}", HubLimits()))
        sensors = await furnish(running.url, "a", 10)
        probing = await stack.enter_async_context(probe(running.url, [room("a")], sensors))
        asking = await stack.enter_async_context(Client(running.url, proxy=None))
        for number in range(setting.rounds(5)):
            await _round(running, f"full {number}", probing, asking, waits)
    return [limited(f"longest wait of {what}, {name}", "ms", max(found), _LIMIT_MS) for what, found in waits.items()]


async def _round(running: HubProcess, name: str, probing: Probe, asking: Client, waits: Waits) -> None:
    async with Client(running.url, proxy=None) as writing, writing.subscribe("sensors:total_level", {"room": name}):
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "inserted": ("sensors:add_many", {"room": name, "first": 0, "count": DOCUMENTS}),
            "changed": ("sensors:set_all_levels", {"room": name, "level": 1}),
        }
        for what, (path, args) in calls.items():
            beside = f"beside {DOCUMENTS:,} documents {what}"
            call = asyncio.create_task(writing.mutation(path, args))
            await asyncio.gather(
                _note(waits[f"a write {beside}"], call, probing.seconds),
                _note(waits[f"a query {beside}"], call, lambda: asking.query("sensors:in_room", {"room": "a"})),
            )
            await call


async def _note(waits: list[float], call: asyncio.Task[Any], work: Callable[[], Awaitable[object]]) -> None:
    """Do something again and again until a call is over, and note the milliseconds that it takes."""
    while not call.done():
        start = perf_counter()
        await work()
        waits.append((perf_counter() - start) * 1000)
        await asyncio.sleep(_PACE)
