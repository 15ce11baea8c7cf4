"""Pushes per second to 500 subscribers of one query.

The peer is a bare Starlette application that calls ``send_bytes`` with the same bytes for one client after the other, on the
same uvicorn settings. It knows what to send and to whom; the hub runs the mutation and the query, makes the patch and keeps
account of what each client holds.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from benchmarks.audience import SUBSCRIBERS, Audience, audience
from benchmarks.bare import BareProcess, bare
from benchmarks.crowd import Crowd, crowd
from benchmarks.hub import EMBEDDED, HubProcess, hub
from benchmarks.probe import furnish
from benchmarks.results import Aim, Result, Row, Setting, compared

DOCUMENTS = 10
WRITERS = 2
SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class _Rate:
    """Pushes in a second of time, and in a second of the server's CPU: other programs disturb the first far more."""

    second: float
    cpu_second: float


async def run(setting: Setting) -> Result:
    """Measure with the hub as busy as it can be."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, "fanout"))
        peer = await stack.enter_async_context(bare())
        listeners = await stack.enter_async_context(crowd("of peer"))
        await listeners.join(peer.port, "/feed", SUBSCRIBERS)
        sensors = await furnish(running.url, "a", DOCUMENTS)
        gathered = await stack.enter_async_context(audience(running, "a", sensors))
        rounds = []
        for _ in range(setting.rounds(15)):
            ours = await _hub_rate(running, gathered)
            rounds.append((ours, await _bare_rate(peer, await gathered.subscribers.last(), listeners)))
    return Result("fanout", (_row("", rounds, "second"), _row(", by CPU time", rounds, "cpu_second")))


def _row(title: str, rounds: list[tuple[_Rate, _Rate]], unit: str) -> Row:
    ours, peers = ([getattr(pair[place], unit) for pair in rounds] for place in range(2))
    return compared(
        f"pushes to {SUBSCRIBERS} subscribers{title}", "/s", ours, "bare send_bytes", peers, Aim(0.7, at_least=True)
    )


async def _hub_rate(running: HubProcess, gathered: Audience) -> _Rate:
    async def write() -> None:
        while True:
            await gathered.probing.write()

    async with asyncio.TaskGroup() as tasks:
        writers = [tasks.create_task(write()) for _ in range(WRITERS)]
        rate = await _rate(running, gathered.subscribers)
        for writer in writers:
            writer.cancel()
    await gathered.probing.seconds()
    return rate


async def _bare_rate(peer: BareProcess, frame: bytes, listeners: Crowd) -> _Rate:
    await peer.push(frame, SECONDS * 1.5)
    rate = await _rate(peer, listeners)
    await peer.pushed()
    return rate


async def _rate(server: HubProcess | BareProcess, readers: Crowd) -> _Rate:
    await asyncio.sleep(SECONDS / 8)  # until it is in full swing
    before, cpu = await readers.count(), await server.cpu()
    await asyncio.sleep(SECONDS)
    received, used = (await readers.count()).since(before), await server.cpu() - cpu
    return _Rate(received.frames / received.at, received.frames / used)
