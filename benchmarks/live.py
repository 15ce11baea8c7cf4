"""A live session of the motion application at 100 Hz: what its viewers receive, and how soon.

Batches of ten samples a knee are appended ten times a second. Every viewer follows the session as a program would: it gets
the difference of the query, in which samples that are new come as they are. The limit of bytes is the samples themselves;
beside the time stands a bare ping of the protocol on the same hub. The time is that of one viewer in a process of its own,
as viewers are: the others share one, where each waits for those before it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from time import perf_counter

import numpy as np
import uvloop
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.hub import EMBEDDED, HOST, MOTION, hub
from benchmarks.processes import Child, Pipe, answer_all, child
from benchmarks.relay import Relay
from benchmarks.results import Aim, Result, Row, Setting, compared, limited, percentile
from motion.cli.following import append, follow
from motion.gait import walk
from synovia_client import Client
from synovia_protocol.client_session import ClientSession
from synovia_protocol.codec import encode
from synovia_protocol.messages import SUBPROTOCOL, Ping

RATE, BATCH, KNEES = 100.0, 10, 2
ROUND_SECONDS = 4
TOKEN = "dev:anna@example.org"


async def run(setting: Setting) -> Result:
    """Measure with 10 and with 100 viewers."""
    rows: list[Row] = []
    for viewers in (10, 100):
        rows += await _measured(setting, viewers)
    return Result("live", tuple(rows))


async def _measured(setting: Setting, viewers: int) -> list[Row]:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, f"live-{viewers}", application=MOTION))
        crowd = await stack.enter_async_context(child("viewers", _viewers, running.port))
        viewer = await stack.enter_async_context(child("viewer", _viewers, running.port))
        writer = await stack.enter_async_context(Client(running.url, token=TOKEN, proxy=None))
        await writer.mutation("users:register", {"role": "physiotherapist"})
        session = await writer.mutation("live:start", {"sampleRate": RATE})
        await crowd.ask("watch", session, viewers - 1)
        await viewer.ask("watch", session, 1)
        probe = _Probe(writer, viewer, crowd, session)
        ping = await stack.enter_async_context(_pinger(running.port))
        await probe.round(1.0)  # until everybody is in full swing
        rounds = [(await probe.round(ROUND_SECONDS), await ping()) for _ in range(setting.rounds(5))]
    raw = RATE * KNEES * 8
    times = [(percentile([*each.seconds], 50) * 1000, pinged * 1000) for each, pinged in rounds]
    title = f"{viewers} viewers"
    return [
        compared(
            f"received a second by one of {title}",
            "B",
            [r.bytes for r, _ in rounds],
            "the samples",
            [raw] * len(rounds),
            Aim(1.5),
        ),
        compared(f"append to samples shown, p50, {title}", "ms", [a for a, _ in times], "ping", [b for _, b in times]),
        limited(f"append to samples shown, p50, {title}", "ms", median([a for a, _ in times]), 5.0),
    ]


class _Round:
    def __init__(self, size: float, seconds: list[float]) -> None:
        self.bytes = size
        self.seconds = seconds


class _Probe:
    """Appends at its pace, and asks a viewer in a process of its own when it had the samples; both have one clock."""

    def __init__(self, writer: Client, viewer: Child, crowd: Child, session: str) -> None:
        self._writer = writer
        self._viewer = viewer
        self._crowd = crowd
        self._session = session
        self._gait = walk(600.0)
        self._count = 0

    async def round(self, seconds: float) -> _Round:
        """Append for so long; give the bytes a second that a viewer received, and how long each batch took."""
        before, began = await self._crowd.ask("received"), perf_counter()
        called: dict[int, float] = {}
        for number in range(round(seconds * RATE / BATCH)):
            await asyncio.sleep(max(began + (number + 1) * BATCH / RATE - perf_counter(), 0))
            called[self._count + BATCH] = perf_counter()
            await self._append()
        shown = await self._viewer.ask("shown", self._count)
        await self._crowd.ask("shown", self._count)
        size = (await self._crowd.ask("received") - before) / (perf_counter() - began)
        ends = sorted(shown)  # a batch may have been shown together with the next one
        return _Round(size, [shown[ends[bisect_left(ends, end)]] - at for end, at in called.items()])

    async def _append(self) -> None:
        batch = slice(self._count, self._count + BATCH)
        left, right = self._gait.left_knee[batch], self._gait.right_knee[batch]
        self._count = await append(self._writer, self._session, self._count, left, right)


@asynccontextmanager
async def _pinger(port: int) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Give what measures the median of some pings, in seconds."""
    async with connect(
        f"ws://{HOST}:{port}/sync", subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None, proxy=None
    ) as socket:
        await socket.send(ClientSession(np.random.default_rng().bytes(16)).connect("ping"))
        await socket.recv()

        async def ping() -> float:
            times = []
            for number in range(40):
                start = perf_counter()
                await socket.send(encode(Ping(number)))
                await socket.recv()
                times.append(perf_counter() - start)
            return percentile(times, 50)

        yield ping


# --- the viewers ------------------------------------------------------------------------------------------------------


def _viewers(pipe: Pipe, port: int) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watch_all(pipe, port))


async def _watch_all(pipe: Pipe, port: int) -> None:
    async with AsyncExitStack() as stack:
        viewers = _Viewers(port, await stack.enter_async_context(Relay.running(port)), stack)
        await answer_all(pipe, {"watch": viewers.watch, "shown": viewers.shown, "received": viewers.received})
        await viewers.stop()


class _Viewers:
    """Who follows a session in one process; if there are several, the last one does so through a relay that counts bytes."""

    def __init__(self, port: int, relay: Relay, stack: AsyncExitStack) -> None:
        self._port = port
        self._relay = relay
        self._stack = stack
        self._shown: list[dict[int, float]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def watch(self, session: str, viewers: int) -> None:
        for number in range(viewers):
            port = self._relay.port if 0 < number == viewers - 1 else self._port
            client = await self._stack.enter_async_context(Client(f"ws://{HOST}:{port}", token=TOKEN, proxy=None))
            shown: dict[int, float] = {}
            self._shown.append(shown)
            self._tasks.append(asyncio.create_task(self._watch_one(client, session, shown)))

    async def _watch_one(self, client: Client, session: str, shown: dict[int, float]) -> None:
        async for piece in follow(client, session):
            shown[piece.start + len(piece.left_knee)] = perf_counter()

    async def shown(self, count: int) -> dict[int, float]:
        """Wait until everybody has so many samples; tell when the first one had how many."""
        async with asyncio.timeout(30):
            while not all(max(each, default=0) >= count for each in self._shown):  # noqa: ASYNC110 (many tell)
                await asyncio.sleep(0.01)
        return self._shown[0]

    async def received(self) -> int:
        return self._relay.received

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
