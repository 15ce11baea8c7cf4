"""Synovia beside Feathers, a change stream broadcast by FastAPI, and a bare broker, in one run.

Everything is on MongoDB but the broker, which keeps nothing. All servers run at once, and take turns; those that are not
installed are named. What each does less or more is in docs/comparison.md.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks.peers.clients import Clients, clients
from benchmarks.peers.installed import NotInstalled
from benchmarks.peers.servers import SERVERS, Server
from benchmarks.results import Aim, Result, Row, Setting, compared, limited, percentile

AUDIENCE = 500
UPDATES = 20.0
WRITES = 40
ROOM = "a"
_DOCUMENTS = 10
_BETWEEN_RESTARTS = 10.0
_FEATHERS, _BROADCASTER = "Feathers", "FastAPI broadcaster"
_NEARLY, _BETTER = Aim(1.2), Aim(1.0)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of one round of writes: the median time from write to push in ms; CPU in ms of an update, in µs of a push; bytes."""

    push: float
    update_cpu: float
    push_cpu: float
    size: float


_Rounds = defaultdict[str, list[_Figures]]


async def run(
    setting: Setting, audience: int = AUDIENCE, writes: int = WRITES, between: float = _BETWEEN_RESTARTS
) -> Result:
    """Measure each row in alternating rounds."""
    rooms = {ROOM: _DOCUMENTS, **{f"r{number}": 1 for number in range(audience)}}
    async with AsyncExitStack() as stack:
        servers, missing = await _started(stack, setting, rooms)
        one = await _pushes(servers, [ROOM], setting, writes)
        many = await _pushes(servers, [ROOM] * audience, setting, writes)
        apart = await _pushes(servers, [room for room in rooms if room != ROOM], setting, writes)
        times = await _arrivals(servers, [ROOM] * audience, setting, between)
    rows = [
        *_beside("one subscriber: write to push, p50", "ms", one, lambda each: each.push, {_FEATHERS: _NEARLY}),
        limited("one subscriber: CPU of an update", "ms", _median(one, lambda each: each.update_cpu), 2.5),
        *_beside("one subscriber: CPU of an update", "ms", one, lambda each: each.update_cpu),
        *_beside(f"{audience} of one query: write to push, p50", "ms", many, lambda each: each.push, _EACH),
        *_beside(f"{audience} of one query: CPU a push", "µs", many, lambda each: each.push_cpu, _EACH),
        *_beside(f"{audience} queries, one touched: p50", "ms", apart, lambda each: each.push, {_FEATHERS: _NEARLY}),
        limited(f"{audience} clients of one address connect", "s", median(times["Synovia"]), 0.6),
        *_against(f"{audience} clients of one address connect", "s", times),
        *_beside("bytes a push, one field", "B", many, lambda each: each.size, _EACH),
    ]
    return Result("peers", tuple(rows), "; ".join(missing) or None)


_EACH = {_FEATHERS: _BETTER, _BROADCASTER: _BETTER}


async def _started(stack: AsyncExitStack, setting: Setting, rooms: dict[str, int]) -> tuple[list[Server], list[str]]:
    servers, missing = list[Server](), list[str]()
    for start in SERVERS:
        try:
            servers.append(await stack.enter_async_context(start(setting, rooms)))
        except NotInstalled as error:
            missing.append(f"{start.__name__}: {error}")
    return servers, missing


async def _pushes(servers: Sequence[Server], rooms: Sequence[str], setting: Setting, writes: int) -> _Rounds:
    """Let clients follow rooms, and write to the room of the one in the middle."""
    rounds = _Rounds(list)
    async with AsyncExitStack() as stack:
        crowds = [await stack.enter_async_context(_arrived(server, rooms)) for server in servers]
        for number in range(setting.rounds(3) + 1):
            for server, crowd in zip(servers, crowds, strict=True):
                figures = await _round(server, crowd, rooms[len(rooms) // 2], writes)
                if number:  # the first round warms up
                    rounds[server.name].append(figures)
    return rounds


async def _round(server: Server, crowd: Clients, room: str, writes: int) -> _Figures:
    cpu = await server.cpu()
    told = await crowd.write(server.sensors[room], writes, UPDATES)
    used = await server.cpu() - cpu
    return _Figures(
        percentile(told.milliseconds, 50), used / writes * 1e3, used / told.frames * 1e6, told.size / told.frames
    )


@asynccontextmanager
async def _arrived(server: Server, rooms: Sequence[str]) -> AsyncIterator[Clients]:
    async with clients(rooms) as crowd:
        await crowd.arrive(server.port, server.dialect)
        yield crowd


async def _arrivals(
    servers: Sequence[Server], rooms: Sequence[str], setting: Setting, between: float
) -> dict[str, list[float]]:
    """Tell the seconds that clients need who come all at once, as after a restart: not twice within a few seconds."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(setting.rounds(3)):
        await asyncio.sleep(between)
        for server in servers:
            async with clients(rooms) as crowd:
                times[server.name].append(await crowd.arrive(server.port, server.dialect))
    return times


def _beside(
    name: str, unit: str, rounds: _Rounds, figure: Callable[[_Figures], float], aims: dict[str, Aim] | None = None
) -> Iterator[Row]:
    return _against(name, unit, {server: list(map(figure, figures)) for server, figures in rounds.items()}, aims)


def _against(
    name: str, unit: str, figures: dict[str, list[float]], aims: dict[str, Aim] | None = None
) -> Iterator[Row]:
    (_, ours), *others = figures.items()
    for peer, theirs in others:
        yield compared(name, unit, ours, peer, theirs, (aims or {}).get(peer))


def _median(rounds: _Rounds, figure: Callable[[_Figures], float]) -> float:
    return median(map(figure, rounds["Synovia"]))
