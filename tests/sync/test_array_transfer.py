from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from helpers.sync_server import Client, client_of, serving
from helpers.waiting import until
from synovia.store.base import ArrayManifest, StoreError, StoreUnavailable
from synovia_protocol.arrays import chunk_digest, chunks_of, raw_of, ref_of
from synovia_protocol.events import ArrayFetched, QueryUpdated
from synovia_protocol.messages import ArrayRef, ArrayResponse, MutationResponse, Pong

Samples = npt.NDArray[np.float64]


def gait(length: int) -> Samples:
    samples = np.sin(np.arange(length) / 40.0) * 60.0
    samples[7] = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf4\x7f", "<f8")[0]
    samples[8:11] = [-0.0, np.inf, -np.inf]
    return samples


async def show(client: Client, samples: Samples, query_id: int = 1) -> ArrayRef:
    """Upload an array, make a note of it and subscribe to the note."""
    ref = ref_of(samples)
    await client.upload(samples, ref)
    assert (await client.mutate("notes:plot", {"board": "a", "samples": ref})).error is None
    notes = await client.subscribe(query_id, "notes:on_board", {"board": "a"})
    assert notes[-1]["samples"] == ref
    return ref


async def fetch(
    client: Client, request_id: int, ref: ArrayRef, query_id: int = 1, **options: int
) -> npt.NDArray[np.float64]:
    await client.send(client.session.fetch_array(request_id, query_id, ref.digest, **options))
    fetched = await client.until(lambda event: isinstance(event, ArrayFetched) and event.request_id == request_id)
    return fetched.to_numpy()  # type: ignore[no-any-return]


async def failure(client: Client, request_id: int) -> str:
    event = await client.until(lambda event: isinstance(event, ArrayResponse) and event.request_id == request_id)
    return str(event.error.code)


@pytest.mark.parametrize("length", [0, 1, 1000, 32_768, 32_769, 1_000_000])
async def test_what_was_uploaded_is_fetched_bit_for_bit_by_another_client(length: int) -> None:
    samples = gait(length) if length > 10 else np.arange(length, dtype=np.float64)
    async with serving() as running, client_of(running) as writer, client_of(running) as reader:
        ref = await show(writer, samples)
        await reader.subscribe(1, "notes:on_board", {"board": "a"})
        fetched = await fetch(reader, 1, ref)
    assert fetched.shape == (length,)
    assert fetched.tobytes() == samples.tobytes()


async def test_a_range_and_a_thinned_array() -> None:
    samples = gait(100_000)
    samples[77_777] = 5000.0
    async with serving() as running, client_of(running) as client:
        ref = await show(client, samples)
        part = await fetch(client, 1, ref, start=32_000, stop=70_000)
        assert part.tobytes() == samples[32_000:70_000].tobytes()
        assert (await fetch(client, 2, ref, start=50, stop=50)).shape == (0,)
        thinned = await fetch(client, 3, ref, points=200)
        assert thinned.shape == (100, 2)
        assert thinned[77][1] == 5000.0


@pytest.mark.parametrize(
    ("options", "code"),
    [({"start": 5, "stop": 4}, "bad_range"), ({"stop": 1001}, "bad_range"), ({"start": 1001}, "bad_range")],
)
async def test_a_range_that_is_not_there(options: dict[str, int], code: str) -> None:
    async with serving() as running, client_of(running) as client:
        ref = await show(client, gait(1000))
        await client.send(client.session.fetch_array(1, 1, ref.digest, **options))
        assert await failure(client, 1) == code
        assert len(await fetch(client, 2, ref)) == 1000


async def test_only_what_a_live_query_shows_can_be_fetched() -> None:
    async with serving() as running, client_of(running) as writer, client_of(running) as other:
        ref = await show(writer, gait(1000))
        await other.subscribe(1, "notes:on_board", {"board": "b"})
        for request_id, query_id in ((1, 1), (2, 99)):
            await other.send(other.session.fetch_array(request_id, query_id, ref.digest))
            assert await failure(other, request_id) == "array_not_found"


async def test_an_array_may_be_named_again_only_where_it_was_uploaded_or_is_shown() -> None:
    samples = gait(1000)
    async with serving() as running, client_of(running) as writer, client_of(running) as other:
        ref = await show(writer, samples)
        refused = await other.mutate("notes:plot", {"board": "b", "samples": ref})
        assert refused.error is not None
        assert refused.error.code == "array_not_found"
        await other.subscribe(1, "notes:on_board", {"board": "a"})
        assert (await other.mutate("notes:plot", {"board": "b", "samples": ref})).error is None


@pytest.mark.parametrize("as_shown", [False, True])
async def test_a_map_that_looks_like_a_stored_reference_is_none(as_shown: bool) -> None:
    """Which arrays a client may name is checked on references alone."""
    async with serving() as running, client_of(running) as writer, client_of(running) as other:
        ref = await show(writer, gait(1000))
        if as_shown:
            await other.subscribe(1, "notes:on_board", {"board": "a"})
        for stolen in (
            {"digest": ref.digest, "dtype": ref.dtype, "shape": list(ref.shape)},
            [ref.digest, ref.dtype, list(ref.shape)],
            ref.digest,
        ):
            refused = await other.mutate("notes:plot", {"board": "b", "samples": stolen})
            assert refused.error is not None
            assert refused.error.code == "invalid_arguments"
        assert await other.subscribe(2, "notes:on_board", {"board": "b"}) == []


async def test_equal_bytes_of_two_dtypes_are_both_welcome() -> None:
    async with serving() as running, client_of(running) as client:
        integers, floats = np.zeros(10, np.int64), np.zeros(10, np.float64)
        await client.upload(integers, ref_of(integers))
        await client.upload(floats, ref_of(floats))
        response = await client.mutate("notes:plot", {"board": "a", "samples": ref_of(floats)})
        assert response.error is None


async def test_messages_go_before_samples() -> None:
    samples = np.random.default_rng(1).random(2_000_000)
    async with serving() as running, client_of(running) as writer, client_of(running, reads_ahead=False) as reader:
        ref = await show(writer, samples)
        await reader.subscribe(1, "notes:on_board", {"board": "a"})
        await reader.send(reader.session.fetch_array(1, 1, ref.digest))
        await until(lambda: any(each.fetching for each in running.hub.conversations))
        await reader.send(reader.session.ping(5))
        await writer.mutate("notes:post", {"board": "a", "text": "in between"})
        await reader.until(lambda event: isinstance(event, ArrayFetched))
        places = [
            next(place for place, event in enumerate(reader.events) if wanted(event))
            for wanted in (
                lambda event: event == Pong(5),
                lambda event: isinstance(event, QueryUpdated) and len(event.value) == 2,
                lambda event: isinstance(event, ArrayFetched),
            )
        ]
        assert max(places[:2]) < places[2]


async def test_a_cancelled_fetch_stops_and_others_go_on() -> None:
    samples = np.random.default_rng(1).random(1_000_000)
    async with serving(max_fetches=2) as running, client_of(running, reads_ahead=False) as client:
        ref = await show(client, samples)
        session = client.session
        for request_id in (1, 2):
            await client.send(session.fetch_array(request_id, 1, ref.digest))
        await client.send(session.fetch_array(3, 1, ref.digest))
        assert await failure(client, 3) == "limit_exceeded"
        await client.send(session.cancel_fetch(1))
        fetched = await client.until(lambda event: isinstance(event, ArrayFetched))
        assert fetched.request_id == 2
        assert fetched.to_numpy().tobytes() == samples.tobytes()
        await until(lambda: not any(each.fetching for each in running.hub.conversations))
        assert len(await fetch(client, 4, ref)) == 1_000_000


async def test_a_fetch_that_is_cancelled_at_once_gives_its_place_back() -> None:
    async with serving(max_fetches=2) as running, client_of(running) as client:
        ref = await show(client, gait(1000))
        session = client.session
        for request_id in range(1, 101):
            await client.send(session.fetch_array(request_id, 1, ref.digest), session.cancel_fetch(request_id))
        await client.send(session.ping(1))
        await client.until(lambda event: event == Pong(1))
        await until(lambda: not any(each.fetching for each in running.hub.conversations))
        assert len(await fetch(client, 101, ref)) == 1000


async def test_an_answer_that_cannot_be_finished_ends_the_connection() -> None:
    """No message takes announced elements back, so the client has to ask again on another connection."""
    samples = gait(100_000)
    async with serving() as running:
        async with client_of(running) as client:
            ref = await show(client, samples)
            last = chunk_digest(list(chunks_of(raw_of(samples)))[-1])
            assert (await running.hub.context.arrays.delete_chunks([last], float("inf")))[0] == 1
            await client.send(client.session.fetch_array(1, 1, ref.digest))
            fatal, closed_with = await client.end()
            assert any(isinstance(event, ArrayResponse) and event.error is None for event in client.events)
        assert (fatal.error.code, fatal.retry_after, closed_with) == ("server_error", 1.0, 4500)
        async with client_of(running) as client:
            await client.subscribe(1, "notes:on_board", {"board": "a"})
            assert len(await fetch(client, 1, ref, stop=32_768)) == 32_768


async def test_unfinished_uploads_are_bounded() -> None:
    samples = gait(200_000)
    async with serving(max_upload_bytes=1_000_000) as running, client_of(running) as client:
        await client.upload(samples[:100_000], ref_of(samples[:100_000]))
        await client.upload(samples[100_000:], ref_of(samples[100_000:]))
        frames = list(client.session.upload(samples, ref_of(samples)))
        await client.send(*frames[:-1])
        fatal, closed_with = await client.end()
    assert (fatal.error.code, closed_with) == ("limit_exceeded", 4413)


class HeldUp:
    """An array store that stores no manifest until it is told to, those but ``first`` only when ``rest`` is set, too.

    ``asked`` are the digests that were looked up.
    """

    def __init__(self, arrays: Any) -> None:
        self.arrays = arrays
        self.reached, self.go_on, self.rest = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.first: bytes | None = None
        self.error: StoreError | None = None
        self.stored: list[bytes] = []
        self.asked: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.arrays, name)

    async def put_manifest(self, manifest: ArrayManifest) -> None:
        self.reached.set()
        await self.go_on.wait()
        if self.first is not None and manifest.digest != self.first:
            await self.rest.wait()
        if self.error is not None:
            raise self.error
        await self.arrays.put_manifest(manifest)
        self.stored.append(manifest.digest)

    async def get_manifest(self, digest: bytes) -> ArrayManifest | None:
        self.asked.append(digest)
        found: ArrayManifest | None = await self.arrays.get_manifest(digest)
        return found


@asynccontextmanager
async def held_up(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[HeldUp, Client]]:
    async with serving() as running:
        held = HeldUp(running.hub.context.arrays)
        monkeypatch.setattr(running.hub, "context", replace(running.hub.context, arrays=held))
        async with client_of(running) as client:
            yield held, client
            held.go_on.set()
            held.rest.set()


async def test_a_client_is_read_on_while_its_array_is_stored_and_who_names_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = gait(1000)
    async with held_up(monkeypatch) as (held, client):
        held.first = ref_of(samples).digest
        await client.upload(samples, ref_of(samples))
        await client.upload(samples[1:], ref_of(samples[1:]))
        number, naming = client.mutation("notes:plot", {"board": "a", "samples": ref_of(samples)})
        await client.send(naming, client.session.ping(7))
        await client.until(lambda event: event == Pong(7))
        await held.reached.wait()
        assert not any(isinstance(event, MutationResponse) for event in client.events)
        held.go_on.set()
        assert (await client.response(number)).error is None
        assert held.stored[0] == ref_of(samples).digest
        assert held.asked == [], "what was stored a moment ago is there"


async def test_an_array_that_cannot_be_stored_ends_the_connection_of_who_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = gait(1000)
    async with held_up(monkeypatch) as (held, client):
        held.error = StoreUnavailable("the disk is full")
        held.go_on.set()
        await client.upload(samples, ref_of(samples))
        await client.send(client.mutation("notes:plot", {"board": "a", "samples": ref_of(samples)})[1])
        fatal, closed_with = await client.end()
    assert (fatal.error.code, closed_with) == ("server_error", 4500)
    assert not any(isinstance(event, MutationResponse) for event in client.events)


@pytest.mark.parametrize("known", [True, False])
async def test_an_array_is_looked_up_again_once_it_may_have_been_swept(
    monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    samples = gait(1000)
    ref = ref_of(samples)
    if not known:
        monkeypatch.setattr("synovia.sync.uploads._FRESH_SECONDS", -1.0)
    async with held_up(monkeypatch) as (held, client):
        held.go_on.set()
        await client.upload(samples, ref)
        assert (await client.mutate("notes:plot", {"board": "a", "samples": ref})).error is None
        await held.arrays.delete_arrays([ref.digest], float("inf"))
        response = await client.mutate("notes:plot", {"board": "b", "samples": ref})
        assert response.error is not None
        assert response.error.code == "array_not_found", "the commit looks, too"
        assert held.asked == ([] if known else [ref.digest] * 2)
