"""Throughput of arrays: 1,000,000 float64 from client to store and back, against the same bytes over a bare WebSocket.

The bare server sends zeros from memory and forgets what it receives; the hub checks digests, stores, and is durable when it
answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.bare import DONE, bare
from benchmarks.databases import database
from benchmarks.hub import EMBEDDED, HOST, hub
from benchmarks.probe import room
from benchmarks.results import Aim, Result, Row, Setting, compared
from synovia_client import Client
from synovia_protocol.arrays import CHUNK_BYTES

SAMPLES = 1_000_000
BYTES = SAMPLES * 8
_MB = BYTES / 1e6
_HALF = Aim(0.5, at_least=True)


class _Bare:
    """A client of the bare server; each method gives megabytes a second."""

    def __init__(self, downloads: ClientConnection, uploads: ClientConnection) -> None:
        self._downloads = downloads
        self._uploads = uploads

    async def download(self) -> float:
        start = perf_counter()
        await self._downloads.send(f"{BYTES} {CHUNK_BYTES}")
        missing = BYTES
        while missing > 0:
            missing -= len(await self._downloads.recv())
        return _MB / (perf_counter() - start)

    async def upload(self) -> float:
        data = bytes(BYTES)
        start = perf_counter()
        await self._uploads.send(str(BYTES))
        for place in range(0, BYTES, CHUNK_BYTES):
            await self._uploads.send(data[place : place + CHUNK_BYTES])
        assert await self._uploads.recv() == DONE
        return _MB / (perf_counter() - start)


@asynccontextmanager
async def _bare() -> AsyncIterator[_Bare]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bare())
        address = f"ws://{HOST}:{server.port}"
        ends = [
            await stack.enter_async_context(connect(f"{address}/{end}", compression=None, max_size=None, proxy=None))
            for end in ("download", "upload")
        ]
        yield _Bare(ends[0], ends[1])


class _Ours:
    """A client of a hub; each method gives megabytes a second."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._random = np.random.default_rng(1)
        self._rank = 0

    async def upload(self) -> float:
        """Save samples that the store does not have yet."""
        samples = self._random.normal(size=SAMPLES)
        self._rank += 1
        start = perf_counter()
        await self._client.mutation("sensors:add", {"room": "a", "rank": self._rank, "trace": samples})
        return _MB / (perf_counter() - start)

    async def download(self) -> float:
        """Fetch the samples that were saved last."""
        async with self._client.subscribe(*room("a")) as subscription:
            ref = (await anext(aiter(subscription)))[-1]["trace"]
            start = perf_counter()
            samples = await self._client.array(ref)
            seconds = perf_counter() - start
        assert len(samples) == SAMPLES
        return _MB / seconds


@asynccontextmanager
async def _ours(setting: Setting, store: str, name: str) -> AsyncIterator[_Ours]:
    async with hub(store, setting, f"arrays-{name}") as running, Client(running.url, proxy=None) as client:
        yield _Ours(client)


async def run(setting: Setting) -> Result:
    """Measure on both stores, in alternating rounds."""
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(_bare())
        ours = await stack.enter_async_context(database(setting))
        stores = {"embedded": EMBEDDED, "MongoDB": ours.url}
        clients = {name: await stack.enter_async_context(_ours(setting, url, name)) for name, url in stores.items()}
        measures = {
            f"{what} of {SAMPLES:,} float64, {name}": (getattr(client, what), getattr(peer, what))
            for name, client in clients.items()
            for what in ("upload", "download")
        }
        rounds: dict[str, list[tuple[float, float]]] = {title: [] for title in measures}
        for number in range(setting.rounds(7) + 1):
            for title, (measure, peers) in measures.items():
                pair = await measure(), await peers()
                if number:  # the first one warms up
                    rounds[title].append(pair)
    return Result("arrays", tuple(_row(title, pairs) for title, pairs in rounds.items()))


def _row(title: str, pairs: list[tuple[float, float]]) -> Row:
    figures, peers = zip(*pairs, strict=True)
    return compared(title, "MB/s", figures, "bare WebSocket", peers, _HALF)
