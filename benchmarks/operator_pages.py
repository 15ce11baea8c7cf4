"""What an open dashboard costs a busy hub: CPU for each call with its pages open, beside the same hub with none.

50 clients call a mutation, each as soon as its last one is answered; 100 others hold 2,000 live queries, of which 100 a
second are changed. The operator looks through a client with the queries of the page, which decodes what comes as a browser
would. Every slice of time with a page open lies between two without any, and is compared with both, so that what else the
machine does meanwhile cancels out.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise
from statistics import median

from benchmarks.crowd import Query, crowd
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import room
from benchmarks.results import Aim, Result, Row, Setting, compared, median_interval
from benchmarks.tellers import Tellers, tellers
from synovia_client import Client

ACCOUNTS, CLIENTS = 1_000, 50
HOLDERS, HELD = 100, 20
WRITES = 100
SECONDS = 1.0
PAGES: dict[str, tuple[Query, ...]] = {
    "logs": (("_system/logs:recent", {"limit": 100, "failed": False, "slowerThan": 0}),),
    "live queries": (("_system/live:list", {"limit": 100, "order": "total"}),),
    "health": (("_system/health:report", {}),),
}
_AIM = Aim(1.05)


async def run(setting: Setting) -> Result:
    """Measure each page between two slices without any, in many rounds."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, "dashboard"))
        calling = await stack.enter_async_context(_busy(running))
        token = await running.operator_token("operator")
        await _cost(running, calling)
        closed = [await _cost(running, calling)]
        opened: dict[str, list[float]] = {name: [] for name in PAGES}
        for _ in range(setting.rounds(31)):
            for name, queries in PAGES.items():
                async with _window(running, token, queries):
                    opened[name].append(await _cost(running, calling))
                closed.append(await _cost(running, calling))
    around = [(before + after) / 2 for before, after in pairwise(closed)]
    slices = {name: (found, around[at :: len(PAGES)]) for at, (name, found) in enumerate(opened.items())}
    rows = [compared(f"CPU a call, {name} open", "µs", one, "closed", other) for name, (one, other) in slices.items()]
    calls = Row("calls in a second of CPU, closed", 1e6 / median(closed), "/s", "load", 10_000.0, 100 / median(closed))
    return Result("dashboard", (*rows, *_any_page(slices.values()), calls))


def _any_page(slices: Iterable[tuple[Sequence[float], Sequence[float]]]) -> Iterator[Row]:
    """Take the slices of all pages together: so many say more exactly what a page costs."""
    ratios = [one / other for opened, closed in slices for one, other in zip(opened, closed, strict=True)]
    for name, ratio in zip(("", ", at least", ", at most"), (median(ratios), *median_interval(ratios)), strict=True):
        yield Row(f"CPU a call, a page open{name}", ratio, "", "closed", 1.0, ratio, None if name else _AIM)


async def _cost(running: HubProcess, calling: Tellers) -> float:
    """Give the microseconds of the hub's CPU that go by for each call."""
    before = await running.cpu()
    done = await calling.drive(ACCOUNTS, 0.0, SECONDS)
    if done.failed:
        raise RuntimeError(f"{done.failed} calls have failed")
    return (await running.cpu() - before) / done.answered * 1e6


@asynccontextmanager
async def _window(running: HubProcess, token: str, queries: Sequence[Query]) -> AsyncIterator[None]:
    """Have an operator look."""
    if not queries:
        yield
        return
    async with Client(running.url, token=token, proxy=None) as client, asyncio.TaskGroup() as tasks:
        seen = asyncio.Event()

        async def look(query: Query) -> None:
            async for _ in client.subscribe(*query):
                seen.set()

        looking = [tasks.create_task(look(query)) for query in queries]
        await seen.wait()
        yield
        for task in looking:
            task.cancel()


@asynccontextmanager
async def _busy(running: HubProcess) -> AsyncIterator[Tellers]:
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(Client(running.url, proxy=None))
        await writer.mutation("bank:open_many", {"first": 0, "count": ACCOUNTS})
        names = [f"room {number}" for number in range(HOLDERS * HELD)]
        sensors = [await writer.mutation("sensors:add", {"room": name, "rank": 0}) for name in names]
        holding = await stack.enter_async_context(crowd("dashboard"))
        await holding.join_hub(running.port, [[room(name) for name in names[at::HOLDERS]] for at in range(HOLDERS)])
        await running.loaded(len(names))
        calling = await stack.enter_async_context(tellers())
        await calling.join_hub(running.port, CLIENTS)
        writing = asyncio.create_task(_write(writer, sensors), name="writing")
        try:
            yield calling
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing


async def _write(writer: Client, sensors: Sequence[str]) -> None:
    for level, sensor in enumerate(itertools.cycle(sensors)):
        await writer.mutation("sensors:set_level", {"sensorId": sensor, "level": level})
        await asyncio.sleep(1 / WRITES)
