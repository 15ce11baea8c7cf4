"""Several hubs on one database: mutations a second of 48 clients that all want one row, or each their own.

1, 2 and 4 hubs, each in a process of its own, as ``serve --workers`` runs them. The peer of every figure is one hub with all
of the clients in the same round. On two cores, which clients and mongod need as well, two hubs cannot be twice as fast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.databases import Database, database
from benchmarks.drivers import Drivers, drivers
from benchmarks.hub import HubProcess, hub
from benchmarks.probe import furnish_many
from benchmarks.results import Aim, Result, Row, Setting, compared

CLIENTS = 48
HUBS = (1, 2, 4)
SECONDS = 3.0
_AIM = Aim(0.8, at_least=True)


@dataclass(slots=True)
class _Figures:
    """What some hubs have done, round by round: mutations a second, milliseconds of their CPU for each, and how many of a
    hundred were run or submitted again."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """Some hubs, and the clients that are spread over them."""

    hubs: Sequence[HubProcess]
    clients: Drivers
    figures: defaultdict[str, _Figures] = field(default_factory=lambda: defaultdict(_Figures))

    async def measure(self, name: str, sensors: Sequence[str]) -> None:
        """Let the clients write for a while."""
        await self.clients.assign(sensors)
        cpu, again = await self._cpu(), await self._again()
        rate = await self.clients.rate(SECONDS)
        done, figures = rate * SECONDS, self.figures[name]
        figures.rates.append(rate)
        figures.cpu.append(1000 * (await self._cpu() - cpu) / done)
        figures.again.append(100 * (await self._again() - again) / done)

    async def _cpu(self) -> float:
        return sum([await each.cpu() for each in self.hubs])

    async def _again(self) -> int:
        return sum([await each.again() for each in self.hubs])


async def run(setting: Setting) -> Result:
    """Measure each number of hubs in alternating rounds."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(database(setting))
        groups = [await stack.enter_async_context(_group(place, setting, count)) for count in HUBS]
        own = await furnish_many(setting.mongodb, place.name, [f"room {number}" for number in range(CLIENTS)])
        work = {"one hot row": own[:1] * CLIENTS, "a row each": own}
        for sensors in work.values():
            for group in groups:
                await group.clients.assign(sensors)
                await group.clients.rate(SECONDS)
        for _ in range(setting.rounds(5)):
            for name, sensors in work.items():
                for group in groups:
                    await group.measure(name, sensors)
    return Result("hubs", tuple(row for name in work for row in _rows(name, groups)))


def _rows(name: str, groups: Sequence[_Group]) -> Iterator[Row]:
    alone = groups[0].figures[name]
    several = [(f"{name}, {len(each.hubs)} hubs", each.figures[name]) for each in groups[1:]]
    for what, figures in several:
        yield compared(what, "/s", figures.rates, "one hub", alone.rates, _AIM)
    for what, figures in several:
        yield compared(f"{what}: CPU of all hubs", "ms", figures.cpu, "one hub", alone.cpu)
    for what, figures in several:
        yield compared(f"{what}: run or submitted again", "%", figures.again, "all", [100.0] * len(figures.again))


@asynccontextmanager
async def _group(place: Database, setting: Setting, count: int) -> AsyncIterator[_Group]:
    async with AsyncExitStack() as stack:
        hubs = [await stack.enter_async_context(hub(place.url, setting, f"hubs-{count}-{n}")) for n in range(count)]
        clients = await stack.enter_async_context(drivers())
        await clients.spread([each.port for each in hubs], CLIENTS)
        yield _Group(hubs, clients)
