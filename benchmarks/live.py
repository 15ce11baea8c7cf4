"""A live session of the motion application at 100 Hz: what its viewers receive, and how soon.

Batches of ten samples a knee are appended ten times a second. Every viewer follows the session as a program would: it gets
the difference of the query, in which samples that are new come as they are. The limit of bytes is the samples themselves;
beside the time stands a bare ping of the protocol on the same hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from statistics import median
from time import perf_counter

import numpy as np
import uvloop
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.hub import EMBEDDED, HOST, MOTION, hub
from benchmarks.processes import Handlers, Pipe, answer_all, child
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
        port = running.port
        crowd = await stack.enter_async_context(child("viewers", _viewers, port))
        relay = await stack.enter_async_context(Relay.running(port))
        writer = await stack.enter_async_context(Client(f"ws://{HOST}:{port}", token=TOKEN, proxy=None))
        near = await stack.enter_async_context(Client(f"ws://{HOST}:{relay.port}", token=TOKEN, proxy=None))
        await writer.mutation("users:register", {"role": "physiotherapist"})
        session = await writer.mutation("live:start", {"sampleRate": RATE})
        await crowd.ask("watch", session, viewers - 1)
        probe = _Probe(writer, near, relay, session)
        stack.push_async_callback(probe.stop)
        ping = await stack.enter_async_context(_pinger(port))
        await probe.round(1.0)  # until everybody is in full swing
        rounds = [(await probe.round(ROUND_SECONDS), await ping()) for _ in range(setting.rounds(5))]
        await crowd.ask("expect", probe.count)
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
    """Appends at its pace, and sees at a viewer of its own when the samples are there."""

    def __init__(self, writer: Client, near: Client, relay: Relay, session: str) -> None:
        self._writer = writer
        self._relay = relay
        self._session = session
        self._gait = walk(600.0)
        self._arrived: dict[int, asyncio.Future[float]] = {}
        self._watching = asyncio.create_task(self._watch(near))
        self.count = 0

    async def stop(self) -> None:
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching

    async def _watch(self, near: Client) -> None:
        async for piece in follow(near, self._session):
            now, end = perf_counter(), piece.start + len(piece.left_knee)
            for count in [count for count in self._arrived if count <= end]:
                self._arrived.pop(count).set_result(now)

    async def round(self, seconds: float) -> _Round:
        """Append for so long; give the bytes a second that the viewer received, and how long each batch took."""
        before, began, times = self._relay.received, perf_counter(), []
        for number in range(round(seconds * RATE / BATCH)):
            await asyncio.sleep(max(began + (number + 1) * BATCH / RATE - perf_counter(), 0))
            times.append(await self._append())
        return _Round((self._relay.received - before) / (perf_counter() - began), times)

    async def _append(self) -> float:
        batch = slice(self.count, self.count + BATCH)
        arrival = asyncio.get_running_loop().create_future()
        self._arrived[self.count + BATCH] = arrival
        start = perf_counter()
        left, right = self._gait.left_knee[batch], self._gait.right_knee[batch]
        self.count = await append(self._writer, self._session, self.count, left, right)
        async with asyncio.timeout(30):
            return float(await arrival) - start


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


# --- the other viewers ----------------------------------------------------------------------------------------------


def _viewers(pipe: Pipe, port: int) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watch_all(pipe, port))


async def _watch_all(pipe: Pipe, port: int) -> None:
    counts: dict[int, int] = {}
    tasks: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        await answer_all(pipe, _handlers(port, counts, tasks, stack))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _handlers(port: int, counts: dict[int, int], tasks: list[asyncio.Task[None]], stack: AsyncExitStack) -> Handlers:
    async def watch_one(number: int, client: Client, session: str) -> None:
        async for piece in follow(client, session):
            counts[number] = piece.start + len(piece.left_knee)

    async def watch(session: str, viewers: int) -> None:
        for number in range(viewers):
            client = await stack.enter_async_context(Client(f"ws://{HOST}:{port}", token=TOKEN, proxy=None))
            tasks.append(asyncio.create_task(watch_one(number, client, session)))

    async def expect(count: int) -> None:
        async with asyncio.timeout(30):
            while min(counts.values()) < count:  # noqa: ASYNC110 (many tell)
                await asyncio.sleep(0.05)

    return {"watch": watch, "expect": expect}
