"""Server CPU and bytes on the wire for each push: 500 subscribers of one query, 20 updates of one field a second, MongoDB.

The CPU is all that the hub's process uses meanwhile: mutations, commits, the change stream, the query's reruns, the pushes.
The bytes include the WebSocket's. Beside the limits stands the CPU of a bare ``send_bytes`` loop, same bytes, same pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks.audience import SUBSCRIBERS, Audience, audience
from benchmarks.bare import BareProcess, bare
from benchmarks.crowd import Count, Crowd, crowd
from benchmarks.databases import database
from benchmarks.hub import HubProcess, hub
from benchmarks.probe import furnish
from benchmarks.results import Result, Row, Setting, compared, limited, percentile

DOCUMENTS = 10
UPDATES = 20
SECONDS = 2.5
LIMITS = {"first": (15.0, 170.0), "next": (10.0, 100.0)}
VARIANTS = {"": {}, "1,000 floats apart": {"trace": True}, "1,000 floats inside": {"curve": True}}


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of one push: microseconds of CPU, and bytes."""

    cpu: float
    size: float


class _Stage:
    """A hub and its subscribers."""

    def __init__(self, running: HubProcess, gathered: Audience) -> None:
        self._running = running
        self._gathered = gathered
        self.milliseconds: list[float] = []

    async def measure(self) -> _Cost:
        return await _cost(self._running, self._gathered.subscribers, _at_pace(self._update))

    async def _update(self) -> None:
        self.milliseconds.append(await self._gathered.probing.seconds() * 1000)

    async def frame(self) -> bytes:
        """Give the bytes of the latest push."""
        return await self._gathered.subscribers.last()


@asynccontextmanager
async def _stage(setting: Setting, name: str, content: dict[str, bool]) -> AsyncIterator[_Stage]:
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(database(setting))
        running = await stack.enter_async_context(hub(ours.url, setting, name))
        sensors = await furnish(running.url, "a", DOCUMENTS, **content)
        # Only the first document carries floats, and it is the one that is written.
        written = sensors[:1] if content else sensors
        yield _Stage(running, await stack.enter_async_context(audience(running, "a", written)))


async def _cost(server: HubProcess | BareProcess, readers: Crowd, pushing: Awaitable[None]) -> _Cost:
    before, cpu = await readers.count(), await server.cpu()
    await pushing
    await asyncio.sleep(0.1)  # for what is on its way
    used, received = await server.cpu() - cpu, (await readers.count()).since(before)
    return _per_push(used, received)


def _per_push(used: float, received: Count) -> _Cost:
    return _Cost(used / received.frames * 1e6, received.size / received.frames)


async def _pushed(peer: BareProcess, frame: bytes) -> None:
    await peer.push(frame, SECONDS, UPDATES)
    await peer.pushed()


async def _at_pace(update: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(SECONDS * UPDATES)):
            await asyncio.sleep(start + number / UPDATES - loop.time())
            tasks.create_task(_awaited(update))


async def _awaited(update: Callable[[], Awaitable[None]]) -> None:
    await update()


async def run(setting: Setting) -> Result:
    """Measure with plain documents, and with one that carries an array."""
    rows: list[Row] = []
    async with bare() as peer, crowd("of peer") as listeners:
        await listeners.join(peer.port, "/feed", SUBSCRIBERS)
        for place, (title, content) in enumerate(VARIANTS.items()):
            async with _stage(setting, f"cost-{place}", content) as staged:
                rows += await _measure(setting, staged, peer, listeners, f", {title}" if title else "")
    return Result("cost", tuple(rows))


async def _measure(setting: Setting, staged: _Stage, peer: BareProcess, listeners: Crowd, title: str) -> list[Row]:
    costs, peers = [], []
    await staged.measure()
    staged.milliseconds.clear()
    for _ in range(setting.rounds(5)):
        costs.append(await staged.measure())
        frame = await staged.frame()
        peers.append(await _cost(peer, listeners, _pushed(peer, frame)))
    cpu, size = median(each.cpu for each in costs), median(each.size for each in costs)
    return [
        *(limited(f"CPU a push, {when} limit{title}", "µs", cpu, most) for when, (most, _) in LIMITS.items()),
        compared(f"CPU a push{title}", "µs", [c.cpu for c in costs], "bare send_bytes", [p.cpu for p in peers]),
        *(limited(f"bytes a push, {when} limit{title}", "B", size, most) for when, (_, most) in LIMITS.items()),
        limited(f"write issued to push received, p50{title}", "ms", percentile(staged.milliseconds, 50), 5.0),
    ]
