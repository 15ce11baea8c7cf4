"""A live session over real sockets: what a viewer gets, and what travels for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from helpers.patience import PATIENCE
from motion.cli.following import append, follow
from motion.demo.stage import Frame, Stage, stage
from motion.files.motion import Floats
from motion.gait import walk
from synovia_client import Client, FunctionError
from synovia_protocol.arrays import decode_frame

BATCH = 10


@dataclass
class Scene:
    """Anna records Ben, who watches; both over sockets of their own."""

    stage: Stage
    anna: Client
    ben: Client
    ben_id: str
    people: AsyncExitStack

    def frames_of_ben(self) -> list[Frame]:
        return self.stage.connections[1]

    async def start(self) -> str:
        args = {"sampleRate": 100.0, "subjectId": self.ben_id}
        session: str = await self.anna.mutation("live:start", args)
        return session


@asynccontextmanager
async def scene(store: str = "sqlite://:memory:") -> AsyncIterator[Scene]:
    async with stage(store) as built, AsyncExitStack() as people, asyncio.timeout(PATIENCE):

        async def person(name: str, role: str) -> tuple[Client, str]:
            client = await people.enter_async_context(Client(built.url, token=f"dev:{name}@example.org"))
            return client, await client.mutation("users:register", {"role": role, "name": name})

        anna, _ = await person("anna", "physiotherapist")
        ben, ben_id = await person("ben", "patient")
        await become_contacts(anna, ben)
        yield Scene(built, anna, ben, ben_id, people)


async def become_contacts(anna: Client, ben: Client) -> None:
    await anna.mutation("contacts:add", {"email": "ben@example.org"})
    for invite in await ben.query("invites:list_received"):
        await ben.mutation("invites:accept_received", {"inviteId": invite["_id"]})


class Viewer:
    """Somebody who follows a session in the background."""

    def __init__(self, client: Client, session: str, known: int = 0) -> None:
        self.left: Floats = np.zeros(0)
        self.right: Floats = np.zeros(0)
        self.pieces = 0
        self.recording_id: str | None = None
        self._grown = asyncio.Event()
        self.task = asyncio.create_task(self._follow(client, session, known))

    async def _follow(self, client: Client, session: str, known: int) -> None:
        async for piece in follow(client, session, start=known):
            assert piece.start == known + len(self.left)
            self.left = np.concatenate([self.left, piece.left_knee])
            self.right = np.concatenate([self.right, piece.right_knee])
            self.recording_id = piece.recording_id
            self.pieces += 1
            self._grown.set()

    async def until(self, count: int) -> None:
        while len(self.left) < count:
            if self.task.done():
                self.task.result()
            self._grown.clear()
            await self._grown.wait()


def samples_in(frames: list[Frame]) -> int:
    """Count the samples that the array frames carry."""
    return sum(len(decode_frame(frame.data).data) // 8 for frame in frames if frame.is_samples)


@pytest.mark.slow
async def test_a_viewer_gets_each_sample_once_and_bit_for_bit() -> None:
    gait = walk(5.99, seed=2)
    async with scene() as on:
        session = await on.start()
        viewer = Viewer(on.ben, session)
        await viewer.until(0)
        before = len(on.frames_of_ben())
        for position in range(0, 600, BATCH):
            batch = slice(position, position + BATCH)
            await append(on.anna, session, position, gait.left_knee[batch], gait.right_knee[batch])
            await viewer.until(position + BATCH)
        recording_id = await on.anna.mutation("live:finish", {"sessionId": session})
        await viewer.task
        frames = on.frames_of_ben()[before:]
    assert viewer.left.tobytes() == gait.left_knee.tobytes()
    assert viewer.right.tobytes() == gait.right_knee.tobytes()
    assert viewer.recording_id == recording_id
    assert samples_in(frames) == 0, "all came with the news; merging made nothing travel again, nor did finishing"
    sizes = sorted(len(frame.data) for frame in frames if frame.transition() is not None)
    assert sizes[len(sizes) // 2] < 230
    assert sizes[-1] < 1_200, "also where older batches are merged"
    assert sum(sizes) < 1.5 * 2 * 600 * 8


@pytest.mark.slow
async def test_a_viewer_who_is_late_or_slow_gets_all_of_it_from_few_segments() -> None:
    gait = walk(29.99, seed=4)
    async with scene() as on:
        session = await on.start()
        for position in range(0, 3000, BATCH):
            batch = slice(position, position + BATCH)
            await append(on.anna, session, position, gait.left_knee[batch], gait.right_knee[batch])
        before = len(on.frames_of_ben())
        viewer, halfway = Viewer(on.ben, session), Viewer(on.ben, session, known=1234)
        await asyncio.gather(viewer.until(3000), halfway.until(3000 - 1234))
        frames = on.frames_of_ben()[before:]
        await on.anna.mutation("live:finish", {"sessionId": session})
        await asyncio.gather(viewer.task, halfway.task)
    assert viewer.left.tobytes() == gait.left_knee.tobytes()
    assert halfway.right.tobytes() == gait.right_knee[1234:].tobytes()
    recent = 28 * BATCH  # of 300 batches, after the last merge: 32 become a segment and 16
    assert samples_in(frames) == 2 * (3000 - recent + 3000 - 1234 - recent)
    assert sum(frame.is_samples for frame in frames) < 2 * 2 * 20


async def follow_beside_a_writer(store: str, batches: int) -> None:
    """Batches are merged while viewers fetch them; whoever comes too late for one finds it in the larger one."""
    gait = walk(batches * BATCH / 100 - 0.01, seed=6)
    async with scene(store) as on:
        session = await on.start()
        viewers = [Viewer(on.ben, session) for _ in range(3)] + [Viewer(on.anna, session)]
        for position in range(0, batches * BATCH, BATCH):
            batch = slice(position, position + BATCH)
            await append(on.anna, session, position, gait.left_knee[batch], gait.right_knee[batch])
        await on.anna.mutation("live:finish", {"sessionId": session})
        await asyncio.gather(*(viewer.task for viewer in viewers))
    for viewer in viewers:
        assert viewer.left.tobytes() == gait.left_knee.tobytes()
        assert viewer.right.tobytes() == gait.right_knee.tobytes()


@pytest.mark.slow
async def test_viewers_beside_a_writer_who_waits_for_nobody() -> None:
    await follow_beside_a_writer("sqlite://:memory:", 150)


@pytest.mark.mongodb
async def test_the_same_on_mongodb(mongodb_uri: str, database_name: str) -> None:
    base, _, options = mongodb_uri.partition("?")
    await follow_beside_a_writer(f"{base.rstrip('/')}/{database_name}?{options}", 60)


async def test_a_session_that_is_discarded_ends_for_its_viewers() -> None:
    async with scene() as on:
        session = await on.start()
        await append(on.anna, session, 0, np.zeros(5), np.zeros(5))
        viewer = Viewer(on.ben, session)
        await viewer.until(5)
        await on.anna.mutation("live:discard", {"sessionId": session})
        with pytest.raises(FunctionError) as caught:
            await viewer.task
        assert caught.value.code == "not_found"


async def test_a_batch_that_is_too_long_goes_in_several() -> None:
    samples: Any = np.random.default_rng(1).standard_normal((2, 45_000))
    async with scene() as on:
        session = await on.anna.mutation("live:start", {"sampleRate": 1000.0, "subjectId": on.ben_id})
        viewer = Viewer(on.ben, session)
        assert await append(on.anna, session, 0, *samples) == 45_000
        await viewer.until(45_000)
        viewer.task.cancel()
    assert viewer.left.tobytes() == samples[0].tobytes()
