"""``synovia serve --workers N`` on MongoDB: queries, mutations and pushes a second with 1, 2 and 4 processes at one address.

The very command runs, each on a database of its own, and the kernel spreads the clients. The peer of every figure is one
process with the same clients in the same round. Clients, workers and mongod share the machine's cores: where these are full
with one worker, more of them cannot be faster, and the CPU time shows what a further process costs.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crowd import Crowd, crowd
from benchmarks.databases import database
from benchmarks.drivers import Drivers, drivers
from benchmarks.hub import PATIENT
from benchmarks.probe import furnish_many, room
from benchmarks.processes import ChildFailed, process_cpu
from benchmarks.results import Result, Row, Setting, compared

WORKERS = (1, 2, 4)
CLIENTS = 48
AUDIENCE = 480
WRITERS = 2
SECONDS = 2.0
_APPLICATION = Path(__file__).with_name("sensors.py")
_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_FAREWELL = 30.0
_ROOM = "everybody"
_SHOWN = [f"shown {number}" for number in range(10)]
"""Rooms of ten sensors that are read and never written."""


@dataclass(slots=True)
class _Figures:
    """What some workers have done, round by round: so much a second, and microseconds of their CPU for each."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Served:
    """A server with workers, and its clients.

    Attributes:
        parent: The process that was started: with one worker it serves itself.
    """

    workers: int
    port: int
    parent: int
    callers: Drivers
    writers: Drivers
    audience: Crowd
    figures: dict[str, _Figures] = field(default_factory=lambda: {kind: _Figures() for kind in KINDS})

    async def queries(self) -> float:
        """Give queries a second, all different."""
        return await self.callers.query_rate(_SHOWN, SECONDS)

    async def mutations(self) -> float:
        """Give mutations a second, each client's of a document of its own."""
        return await self.callers.rate(SECONDS)

    async def pushes(self) -> float:
        """Give pushes a second: everybody follows one room, whose documents change as fast as two clients can write."""
        before = await self.audience.count()
        await self.writers.rate(SECONDS)
        pushed = (await self.audience.count()).since(before)
        return pushed.frames / pushed.at

    async def measure(self, kind: str) -> None:
        loop, cpu = asyncio.get_running_loop(), self._cpu()
        start = loop.time()
        rate = await KINDS[kind](self)
        figures = self.figures[kind]
        figures.rates.append(rate)
        figures.cpu.append((self._cpu() - cpu) / (rate * (loop.time() - start)) * 1e6)

    def _cpu(self) -> float:
        children = Path(f"/proc/{self.parent}/task/{self.parent}/children").read_text().split()
        return sum(map(process_cpu, [self.parent, *map(int, children)]))


KINDS: Mapping[str, Callable[[Served], Awaitable[float]]] = {
    "queries": Served.queries,
    "mutations": Served.mutations,
    "pushes": Served.pushes,
}


async def run(setting: Setting) -> Result:
    """Measure each number of workers in alternating rounds."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(served(setting, count)) for count in WORKERS]
        for number in range(setting.rounds(5) + 1):
            for kind in KINDS:
                for each in servers:
                    await each.measure(kind)
            if not number:  # the first round warms up
                for each in servers:
                    each.figures = {kind: _Figures() for kind in KINDS}
    return Result("workers", tuple(row for kind in KINDS for row in _rows(kind, servers)))


def _rows(kind: str, servers: list[Served]) -> Iterator[Row]:
    alone, *others = servers
    one = alone.figures[kind]
    for each in others:
        figures = each.figures[kind]
        name = f"{kind}, {each.workers} workers"
        yield compared(name, "/s", figures.rates, "one worker", one.rates)
        yield compared(f"{name}: CPU of all of them", "µs", figures.cpu, "one worker", one.cpu)


@asynccontextmanager
async def served(setting: Setting, workers: int) -> AsyncIterator[Served]:
    """Serve with so many workers on a database of its own; connect clients."""
    async with database(setting) as place, AsyncExitStack() as stack:
        own = await furnish_many(setting.mongodb, place.name, [f"room {number}" for number in range(CLIENTS)])
        shared = await furnish_many(setting.mongodb, place.name, [_ROOM] * WRITERS)
        await furnish_many(setting.mongodb, place.name, _SHOWN * 10)
        parent, port = await stack.enter_async_context(_command(place.url, workers))
        callers = await stack.enter_async_context(drivers())
        await callers.join(port, own)
        writers = await stack.enter_async_context(drivers())
        await writers.join(port, shared)
        audience = await stack.enter_async_context(crowd(f"of {workers} workers"))
        await audience.join_hub(port, [[room(_ROOM)]] * AUDIENCE)
        await audience.expect(2 * AUDIENCE)
        yield Served(workers, port, parent, callers, writers, audience)


@asynccontextmanager
async def _command(store: str, workers: int) -> AsyncIterator[tuple[int, int]]:
    """Run the command; give its process and the port."""
    limits = {
        f"SYNOVIA_LIMITS_{name.upper()}": str(value)
        for name, value in PATIENT.model_dump(exclude_defaults=True).items()
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "synovia.cli", "serve", str(_APPLICATION), "--port", "0", "--workers", str(workers),
        "--log-level", "error", stdout=PIPE, env={**os.environ, **limits, "SYNOVIA_STORE": store},
    )  # fmt: skip
    try:
        yield process.pid, await _port(process)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), _FAREWELL)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if found := _ADDRESS.search(line):
                return int(found[1])
    raise ChildFailed(f"synovia serve: it has ended: {await process.wait()}")
