"""Throughput of arrays: 1,000,000 float64 from client to store and back, against the same bytes over a bare WebSocket.

The bare server sends zeros from memory and forgets what it receives; both ends of ours check digests, and the hub is durable
when it answers. On MongoDB the limit is the database: there the peer is plain PyMongo with the same chunks.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Any

import numpy as np
from pymongo import AsyncMongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
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


class _Plain:
    """Plain PyMongo with the same chunks and write concern; each method gives megabytes a second."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks
        self._random = np.random.default_rng(2)
        self._ids: list[bytes] = []

    async def upload(self) -> float:
        raw = self._random.bytes(BYTES)
        pieces = [raw[place : place + CHUNK_BYTES] for place in range(0, BYTES, CHUNK_BYTES)]
        documents = [{"_id": os.urandom(32), "data": piece} for piece in pieces]
        start = perf_counter()
        self._ids = (await self._chunks.insert_many(documents)).inserted_ids
        return _MB / (perf_counter() - start)

    async def download(self) -> float:
        start = perf_counter()
        for number in self._ids:
            await self._chunks.find_one({"_id": number})
        return _MB / (perf_counter() - start)


@asynccontextmanager
async def _plain(uri: str, name: str) -> AsyncIterator[_Plain]:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        durable, read = WriteConcern("majority", j=True), ReadConcern("majority")
        yield _Plain(client[name].get_collection("plain", write_concern=durable, read_concern=read))


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
        bare_peer = await stack.enter_async_context(_bare())
        ours = await stack.enter_async_context(database(setting))
        plain_peer = await stack.enter_async_context(_plain(setting.mongodb, ours.name))
        embedded = await stack.enter_async_context(_ours(setting, EMBEDDED, "embedded"))
        mongodb = await stack.enter_async_context(_ours(setting, ours.url, "mongodb"))
        pairs: list[tuple[str, _Ours, str, _Bare | _Plain]] = [
            ("embedded", embedded, "bare WebSocket", bare_peer),
            ("MongoDB", mongodb, "bare WebSocket", bare_peer),
            ("MongoDB", mongodb, "plain PyMongo", plain_peer),
        ]
        rows = [await _compare(setting, what, *pair) for pair in pairs for what in ("upload", "download")]
    return Result("arrays", tuple(rows))


async def _compare(setting: Setting, what: str, store: str, ours: _Ours, peer_name: str, peer: _Bare | _Plain) -> Row:
    figures, peers = [], []
    for number in range(setting.rounds(9) + 1):
        figure, other = await getattr(ours, what)(), await getattr(peer, what)()
        if number:  # the first round warms up
            figures.append(figure)
            peers.append(other)
    # No program on MongoDB reaches half of what a server that forgets does: that pair only informs.
    aim = None if (what, store, peer_name) == ("upload", "MongoDB", "bare WebSocket") else _HALF
    return compared(f"{what} of {SAMPLES:,} float64, {store}", "MB/s", figures, peer_name, peers, aim)
