"""Presence: people in rooms who move, each a number of times a second, and one of them who looks how late moves are.

Whoever moves shows the time at which they do. The hub's CPU is that of its process, from all of these people together.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.databases import database
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.results import Result, Row, Setting, limited, percentile
from synovia_client import Client, Member
from synovia_protocol.codec import encode
from synovia_protocol.messages import SUBPROTOCOL, Connect, PresenceJoin, PresenceState

HERE = "sensors:here"
MOST_ROOMS = 100
"""That one connection is in."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many are where, and how often each moves in each room.

    Attributes:
        people: In each room.
        rate: Moves a second, of each in each room.
    """

    people: int
    rooms: int
    rate: float


@dataclass(frozen=True, slots=True)
class Found:
    """Milliseconds from a move to its sight, and the share of a core that the hub has used."""

    late: Sequence[float]
    cpu: float


class Walker:
    """Somebody who moves in rooms, and does not look."""

    def __init__(self, socket: ClientConnection, rooms: Sequence[str]) -> None:
        self._socket = socket
        self._rooms = rooms

    async def walk(self, rate: float, start: float) -> None:
        """Enter the rooms, and move in one after the other."""
        await self._socket.send(encode(Connect(os.urandom(16))))
        for number, room in enumerate(self._rooms, 1):
            await self._socket.send(encode(PresenceJoin(number, HERE, {"room": room}, 0.0)))
        pause = 1 / (rate * len(self._rooms))
        await asyncio.sleep(start)
        at = perf_counter()
        while True:
            for number in range(1, len(self._rooms) + 1):
                await self._socket.send(encode(PresenceState(number, perf_counter())))
                at += pause
                await asyncio.sleep(max(0.0, at - perf_counter()))

    async def ignore(self) -> None:
        """Take what comes."""
        async for _ in self._socket:
            pass


@asynccontextmanager
async def _walking(url: str, crowd: Crowd) -> AsyncIterator[None]:
    rooms = [f"room {number}" for number in range(crowd.rooms)]
    shares = [rooms[at : at + MOST_ROOMS] for at in range(0, len(rooms), MOST_ROOMS)]
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        walking = []
        for person in range(crowd.people):
            for share in shares:
                socket = await stack.enter_async_context(
                    connect(f"{url}/sync", subprotocols=[SUBPROTOCOL], compression=None, max_size=None, proxy=None)  # type: ignore[list-item]
                )
                walker = Walker(socket, share)
                start = person / (crowd.people * crowd.rate)
                walking += [tasks.create_task(walker.walk(crowd.rate, start)), tasks.create_task(walker.ignore())]
        yield
        for task in walking:
            task.cancel()


async def _measure(walked: HubProcess, looked: HubProcess, crowd: Crowd, seconds: float) -> Found:
    """Have people walk at one hub, and look from the same or another one."""
    late: list[float] = []
    seen: dict[str, object] = {}

    def look(members: Sequence[Member]) -> None:
        now = perf_counter()
        for member in members:
            if not member.is_me and member.state and seen.get(member.id) != member.state:
                seen[member.id] = member.state
                late.append((now - member.state) * 1000)

    there = HERE, {"room": "room 0"}
    async with (
        Client(looked.url, proxy=None) as client,
        _walking(walked.url, crowd),
        client.presence(*there) as presence,
    ):
        while len(presence.others) < crowd.people:  # noqa: ASYNC110 (others come)
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        presence.on_change(look)
        before, start = await walked.cpu(), perf_counter()
        late.clear()
        await asyncio.sleep(seconds)
        return Found(list(late), (await walked.cpu() - before) / (perf_counter() - start))


async def run(setting: Setting) -> Result:
    """Measure rooms of 10 and of 100, a thousand rooms, and two hubs."""
    seconds = 2.0 if setting.quick else 8.0
    async with AsyncExitStack() as stack:
        alone = await stack.enter_async_context(hub(EMBEDDED, setting, "presence"))
        ten = await _measure(alone, alone, Crowd(9, 1, 20), seconds)
        hundred = await _measure(alone, alone, Crowd(99, 1, 20), seconds)
        thousand = await _measure(alone, alone, Crowd(2, 1000, 1), seconds)
        shared = await stack.enter_async_context(database(setting))
        one = await stack.enter_async_context(hub(shared.url, setting, "presence-one"))
        other = await stack.enter_async_context(hub(shared.url, setting, "presence-other"))
        apart = await _measure(one, other, Crowd(9, 1, 20), seconds)
    return Result("presence", _rows(ten, hundred, thousand, apart))


def _rows(ten: Found, hundred: Found, thousand: Found, apart: Found) -> tuple[Row, ...]:
    core = 100.0
    return (
        limited("move to sight, p50, 10 in a room, 20 moves a second each", "ms", percentile(ten.late, 50), 10.0),
        limited("the same, share of a core", "%", ten.cpu * core, 5.0),
        _told("100 in a room, 20 moves a second each, p50", "ms", percentile(hundred.late, 50)),
        _told("the same, share of a core", "%", hundred.cpu * core),
        _told("1,000 rooms of 2, a move a second each, p50", "ms", percentile(thousand.late, 50)),
        _told("the same, share of a core", "%", thousand.cpu * core),
        _told("10 in a room, seen at another hub, p50", "ms", percentile(apart.late, 50)),
    )


def _told(name: str, unit: str, figure: float) -> Row:
    return Row(name, figure, unit, "", figure, 1.0)
