"""Pushes per second to 500 subscribers of one query.

The peer is a bare Starlette application that calls ``send_bytes`` with the same bytes for one client after the other, on the
same uvicorn settings. It knows what to send and to whom; the hub runs the mutation and the query, makes the patch and keeps
account of what each client holds.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from benchmarks.bare import BareProcess, bare
from benchmarks.crowd import Crowd, crowd
from benchmarks.hub import EMBEDDED, hub
from benchmarks.probe import Probe, furnish, probe, room
from benchmarks.results import Aim, Result, Setting, compared

SUBSCRIBERS = 500
DOCUMENTS = 10
WRITERS = 2
SECONDS = 2.0


async def run(setting: Setting) -> Result:
    """Measure with the hub as busy as it can be."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(hub(EMBEDDED, setting, "fanout"))
        peer = await stack.enter_async_context(bare())
        subscribers, listeners = [await stack.enter_async_context(crowd(name)) for name in ("of hub", "of peer")]
        sensors = await furnish(running.url, "a", DOCUMENTS)
        await subscribers.join_hub(running.port, [[room("a")]] * SUBSCRIBERS)
        await subscribers.expect(2 * SUBSCRIBERS)
        await listeners.join(peer.port, "/feed", SUBSCRIBERS)
        probing = await stack.enter_async_context(probe(running.url, [room("a")], sensors))
        figures, peers = [], []
        for _ in range(setting.rounds(7)):
            figures.append(await _hub_rate(probing, subscribers))
            peers.append(await _bare_rate(peer, await subscribers.last(), listeners))
    name = f"pushes to {SUBSCRIBERS} subscribers"
    return Result("fanout", (compared(name, "/s", figures, "bare send_bytes", peers, Aim(0.6, at_least=True)),))


async def _hub_rate(probing: Probe, subscribers: Crowd) -> float:
    async def write() -> None:
        while True:
            await probing.write()

    async with asyncio.TaskGroup() as tasks:
        writers = [tasks.create_task(write()) for _ in range(WRITERS)]
        rate = await _rate(subscribers)
        for writer in writers:
            writer.cancel()
    await probing.seconds()
    return rate


async def _bare_rate(peer: BareProcess, frame: bytes, listeners: Crowd) -> float:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(peer.push_for(frame, SECONDS * 1.5))
        return await _rate(listeners)


async def _rate(readers: Crowd) -> float:
    await asyncio.sleep(SECONDS / 8)  # until it is in full swing
    before = await readers.count()
    await asyncio.sleep(SECONDS)
    received = (await readers.count()).since(before)
    return received.frames / received.at
