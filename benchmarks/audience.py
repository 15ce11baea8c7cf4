"""The subscribers of one query: a crowd that came bit by bit, as clients do, and in its middle a client that is measured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from benchmarks.crowd import Crowd, crowd
from benchmarks.hub import HubProcess
from benchmarks.probe import Probe, probe, room

SUBSCRIBERS = 500
GROUPS = 10
_SIZE = SUBSCRIBERS // GROUPS


@dataclass(frozen=True, slots=True)
class Audience:
    """The crowd, and the one in its middle."""

    subscribers: Crowd
    probing: Probe


@asynccontextmanager
async def audience(running: HubProcess, name: str, sensors: Sequence[str]) -> AsyncIterator[Audience]:
    """Let all subscribe to one room; ``sensors`` are those that will be written to."""
    queries = [room(name)]
    async with AsyncExitStack() as stack:
        subscribers = await stack.enter_async_context(crowd(f"of room {name}"))
        async with probe(running.url, queries, sensors) as early:
            for number in range(GROUPS // 2):
                await _join(running, subscribers, early, number, name)
        probing = await stack.enter_async_context(probe(running.url, queries, sensors))
        for number in range(GROUPS // 2, GROUPS):
            await _join(running, subscribers, probing, number, name)
        yield Audience(subscribers, probing)


async def _join(running: HubProcess, subscribers: Crowd, writing: Probe, earlier: int, name: str) -> None:
    """Add a group, and change something, so that no two groups have been told the same number of times."""
    before = (await subscribers.count()).frames
    await subscribers.join_hub(running.port, [[room(name)]] * _SIZE)
    await subscribers.expect(before + 2 * _SIZE)
    await writing.seconds()
    await subscribers.expect(before + 2 * _SIZE + (earlier + 1) * _SIZE)
