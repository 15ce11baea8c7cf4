"""What is not for somebody does not reach them: not in a frame, not by an array's digest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from helpers.running_hub import RunningHub, running_hub
from helpers.sync_server import Client, socket_to
from synovia_client import Client as Program
from synovia_protocol.client_session import ClientSession
from synovia_protocol.events import ClientEvent
from synovia_protocol.messages import ArrayRef, ArrayResponse, QueryAdd

SAMPLES = np.linspace(0.0, 60.0, 200)
LISTS = ("recordings:list_mine", "recordings:list_of_me", "recordings:list_shared", "recordings:list_archived")


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with running_hub("sqlite://:memory:") as clinic:
        yield clinic


class Listener:
    """Somebody who subscribes to all there is, and keeps every frame that comes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.frames: list[bytes] = []
        receive = client.session.receive

        def keep(frame: bytes | str) -> list[ClientEvent]:
            self.frames.append(frame if isinstance(frame, bytes) else frame.encode())
            return receive(frame)

        client.session.receive = keep  # type: ignore[method-assign]

    async def subscribe(self, queries: list[QueryAdd]) -> None:
        await self._client.send(self._client.session.modify(queries))

    async def hears(self, word: str) -> None:
        """Wait until a word comes: all that was sent before it has come too."""
        await self._client.until(lambda _: word.encode() in self.frames[-1])

    def heard(self, word: str) -> bool:
        return any(word.encode() in frame for frame in self.frames)


@asynccontextmanager
async def connected(clinic: RunningHub, name: str) -> AsyncIterator[Client]:
    """Connect somebody whose frames the test makes itself."""
    async with socket_to(f"ws://127.0.0.1:{clinic.port}/sync") as connection:
        client = Client(connection, ClientSession(np.random.default_rng().bytes(16)))
        await client.send(client.session.connect("test"), client.session.authenticate(f"dev:{name}@example.org"))
        yield client


@asynccontextmanager
async def listening(clinic: RunningHub, name: str, recording: str) -> AsyncIterator[Listener]:
    async with connected(clinic, name) as client:
        listener = Listener(client)
        queries = [QueryAdd(number, path, {}) for number, path in enumerate((*LISTS, "contacts:list_mine", "users:me"))]
        queries.append(QueryAdd(len(queries), "recordings:get", {"recordingId": recording}))
        await listener.subscribe(queries)
        yield listener


async def _befriend(one: Program, other: Program) -> str:
    """Make contact; give the id of ``other``."""
    them, me = await one.query("users:me"), await other.query("users:me")
    await one.mutation("contacts:add", {"email": me["email"]})
    await other.mutation("contacts:add", {"email": them["email"]})
    return str(me["_id"])


async def _save(client: Program, notes: str, samples: Any = SAMPLES) -> str:
    knees = {"leftKnee": samples, "rightKnee": samples + 1.0}
    return str(await client.mutation("recordings:save", {**knees, "sampleRate": 100.0, "notes": notes}))


async def test_a_viewer_receives_no_word_of_what_is_not_shared_with_them(clinic: RunningHub) -> None:
    anna, ben, carl = [await clinic.person(name) for name in ("anna", "ben", "carl")]
    ben_id, carl_id = await _befriend(anna, ben), await _befriend(anna, carl)
    shared = await _save(anna, "a walk")
    one = {"recordingId": shared}
    async with listening(clinic, "ben", shared) as listener:
        await _save(anna, "SECRET of another recording")
        await anna.mutation("recordings:rename", {**one, "notes": "SECRET before"})
        await anna.mutation("contacts:set_alias", {"userId": ben_id, "alias": "SECRET alias"})
        await anna.mutation("recordings:share", {**one, "userId": carl_id})
        await anna.mutation("recordings:rename", {**one, "notes": "walking on stairs"})
        await anna.mutation("recordings:share", {**one, "userId": ben_id})
        await listener.hears("walking on stairs")
        await anna.mutation("recordings:unshare", {**one, "userId": ben_id})
        await anna.mutation("recordings:rename", {**one, "notes": "SECRET after"})
        await anna.mutation("recordings:rename", {**one, "notes": "jumping"})
        await anna.mutation("recordings:share", {**one, "userId": ben_id})
        await listener.hears("jumping")
        await anna.mutation("recordings:archive", {**one, "reason": "SECRET reason"})
        await anna.mutation("recordings:restore", one)
        await anna.mutation("recordings:rename", {**one, "notes": "standing"})
        await listener.hears("standing")
        assert not listener.heard("SECRET")
        assert not listener.heard(carl_id), "with whom else a recording is shared is its owner's business"


async def test_an_array_is_given_only_where_a_query_shows_it(clinic: RunningHub) -> None:
    anna, _ = [await clinic.person(name) for name in ("anna", "ben")]
    recording = await _save(anna, "a walk")
    left: ArrayRef = (await anna.query("recordings:get", {"recordingId": recording}))["leftKnee"]
    async with connected(clinic, "ben") as client:
        for query_id, path in enumerate(LISTS):
            await client.subscribe(query_id, path)
            await client.send(client.session.fetch_array(100 + query_id, query_id, left.digest))
            answer = await client.until(lambda event: isinstance(event, ArrayResponse))
            assert answer.error is not None
            assert answer.error.code == "array_not_found"


async def test_nobody_gets_at_samples_by_saving_their_digest(clinic: RunningHub) -> None:
    anna, ben = [await clinic.person(name) for name in ("anna", "ben")]
    recording = await _save(anna, "a walk")
    left: ArrayRef = (await anna.query("recordings:get", {"recordingId": recording}))["leftKnee"]
    async with connected(clinic, "ben") as client:
        answer = await client.mutate("recordings:save", {"leftKnee": left, "rightKnee": left, "sampleRate": 100.0})
    assert answer.error is not None
    assert answer.error.code == "array_not_found"
    assert await ben.query("recordings:list_mine") == []
