"""Chunks are hashed and stored beside the reading of those behind them, and are the array that they say they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt
import pytest

from helpers.charges import Counted
from helpers.patience import PATIENCE
from helpers.waiting import until
from synovia import charges
from synovia.limits.addresses import Address, Addresses
from synovia.limits.settings import HubLimits
from synovia.store import arrays, hashing
from synovia.store.base import Store, StoreUnavailable
from synovia.store.mongo import MongoStore
from synovia.store.sqlite import SQLiteStore
from synovia.sync import uploads
from synovia.sync.uploads import CHUNKS_AT_ONCE, Uploads
from synovia_protocol.arrays import (
    CHUNK_BYTES,
    ArrayReceived,
    ArrayReceiver,
    Bytes,
    ChunkReceived,
    chunk_digest,
    frames_of,
    ref_of,
)
from synovia_protocol.errors import ErrorCode, ProtocolError
from synovia_protocol.messages import ArrayRef

Samples = npt.NDArray[np.float64]
Event = ChunkReceived | ArrayReceived

LIMITS = HubLimits()


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        made: Store = SQLiteStore()
    else:
        uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
        made = MongoStore(uri, name)
    await made.open([])
    yield made
    await made.close()


@pytest.fixture
def address() -> Address:
    return Addresses(LIMITS, time.monotonic).of("192.0.2.1")


@pytest.fixture
def taking(store: Store, address: Address) -> Iterator[Uploads]:
    taking = Uploads(store.arrays, LIMITS, address)
    yield taking
    taking.close()


class Gate:
    """Lets chunks be hashed when it is told to: all, or those of some digests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = 0
        self.opened = asyncio.Event()
        self.held: set[bytes] | None = None
        monkeypatch.setattr(uploads, "hashed", self.hashed)

    async def hashed(self, chunk: Bytes) -> bytes:
        digest = chunk_digest(chunk)
        if self.held is None or digest in self.held:
            self.waiting += 1
            await self.opened.wait()
            self.waiting -= 1
        return digest


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def samples(chunks: int, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).random(chunks * CHUNK_BYTES // 8)


def events_of(array: Samples, ref: ArrayRef | None = None) -> list[Event]:
    receiver = ArrayReceiver()
    return [event for frame in frames_of(array, ref or ref_of(array)) for event in receiver.receive(frame)]


async def take(taking: Uploads, *events: Event) -> None:
    for event in events:
        await (taking.chunk(event) if isinstance(event, ChunkReceived) else taking.complete(event))


@asynccontextmanager
async def taken(taking: Uploads, *events: Event) -> AsyncIterator[asyncio.Task[None]]:
    """Have events taken beside the block, and to the end after it."""
    task = asyncio.create_task(take(taking, *events))
    yield task
    await task


async def check_stored(taking: Uploads, store: Store, array: Samples) -> None:
    assert await taking.fault({"samples": ref_of(array)}, lambda _: False) is None
    assert (await arrays.read_range(store.arrays, ref_of(array))).tobytes() == array.tobytes()


async def test_chunks_are_read_while_those_before_them_are_hashed(taking: Uploads, store: Store, gate: Gate) -> None:
    array = samples(CHUNKS_AT_ONCE)
    *chunks, end = events_of(array)
    await take(taking, *chunks)
    await until(lambda: gate.waiting == CHUNKS_AT_ONCE)
    async with taken(taking, end):
        gate.opened.set()
    await check_stored(taking, store, array)


async def test_no_more_are_in_memory_than_may_be(taking: Uploads, gate: Gate) -> None:
    events = events_of(samples(CHUNKS_AT_ONCE + 3))
    async with taken(taking, *events) as task:
        await until(lambda: gate.waiting == CHUNKS_AT_ONCE)
        for _ in range(100):  # rounds of the loop: whatever could go on has
            await asyncio.sleep(0)
        assert gate.waiting == CHUNKS_AT_ONCE
        assert not task.done()
        gate.opened.set()


async def test_chunks_that_are_hashed_out_of_order_keep_their_order(
    taking: Uploads, store: Store, address: Address, gate: Gate
) -> None:
    """Two arrays that come at the same time have a chunk in common."""
    one, two = samples(3), samples(4, seed=2)
    two[: CHUNK_BYTES // 8] = one[-CHUNK_BYTES // 8 :]
    first, second = events_of(one), events_of(two)
    assert isinstance(first[0], ChunkReceived)
    gate.held = {chunk_digest(first[0].data)}
    mixed = [event for pair in zip(first, second, strict=False) for event in pair] + second[len(first) :]
    async with taken(taking, *mixed):
        await until(lambda: gate.waiting == 1)
        gate.opened.set()
    for array in (one, two):
        await check_stored(taking, store, array)
    assert address.upload_bytes == 0


@pytest.mark.parametrize("spoilt", [0, 3])
async def test_what_is_not_the_array_of_its_digest_is_none(taking: Uploads, store: Store, spoilt: int) -> None:
    array = samples(4)
    other = array.copy()
    other[spoilt * CHUNK_BYTES // 8] += 1
    with pytest.raises(ProtocolError) as caught:
        await take(taking, *events_of(other, ref_of(array)))
    assert caught.value.code is ErrorCode.ARRAY_DIGEST_MISMATCH
    assert await store.arrays.get_manifest(ref_of(array).digest) is None
    assert await taking.fault({"samples": ref_of(array)}, lambda _: False) is not None


async def test_a_chunk_that_cannot_be_stored_is_told_and_no_array_is_there(
    taking: Uploads, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    array, put = samples(4), store.arrays.put_chunk
    third = chunk_digest(array[2 * CHUNK_BYTES // 8 : 3 * CHUNK_BYTES // 8].tobytes())

    async def put_chunk(digest: bytes, data: bytes | memoryview) -> None:
        if digest == third:
            raise StoreUnavailable("no room is left")
        await put(digest, data)

    monkeypatch.setattr(store.arrays, "put_chunk", put_chunk)
    await take(taking, *events_of(array))
    with pytest.raises(StoreUnavailable):
        await taking.fault({"samples": ref_of(array)}, lambda _: False)
    taking.close()
    assert await store.arrays.get_manifest(ref_of(array).digest) is None


async def test_who_goes_amid_an_upload_leaves_nothing_behind(taking: Uploads, address: Address, gate: Gate) -> None:
    await take(taking, *events_of(samples(CHUNKS_AT_ONCE))[:-1])
    await until(lambda: gate.waiting == CHUNKS_AT_ONCE)
    assert address.upload_bytes == CHUNKS_AT_ONCE * CHUNK_BYTES
    taking.close()
    assert address.upload_bytes == 0
    async with asyncio.timeout(PATIENCE):
        for _ in range(LIMITS.max_chunks_per_address):  # every place is free again
            await address.storing.acquire()


async def test_who_uploads_pays_for_what_a_thread_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    payer, chunk = Counted(), bytes(CHUNK_BYTES)
    with charges.charged(charges.Bill(payer, 0.0)):
        monkeypatch.setattr(charges, "clock", lambda: float(next(ticks)))
        assert await hashing.hashed(chunk) == chunk_digest(chunk)
    assert payer.seconds == 1.0, "from before to after"


async def test_a_short_chunk_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    async def to_thread(*_: object) -> None:
        raise AssertionError("a thread")

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    assert await hashing.hashed(b"short") == chunk_digest(b"short")
