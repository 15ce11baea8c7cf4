"""Recordings that were archived for long are deleted for good, with their samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from helpers.motion_people import motion
from synovia import FunctionError
from synovia.functions.access import CallOrigin
from synovia.schema import id_to_bson
from synovia.store.base import Batch, Write
from synovia.testing import Caller, TestApp
from synovia_protocol.messages import ArrayRef

HOUR = 3_600.0
DAY = 24 * HOUR
GRACE = DAY


@dataclass
class Anna:
    """A physiotherapist with recordings."""

    app: TestApp
    caller: Caller
    id: str

    async def save(self, seed: int) -> str:
        left, right = np.random.default_rng(seed).standard_normal((2, 50))
        args = {"leftKnee": left, "rightKnee": right, "sampleRate": 100.0}
        recording_id: str = await self.caller.mutation("recordings:save", args)
        return recording_id

    async def do(self, path: str, recording_id: str) -> None:
        await self.caller.mutation(path, {"recordingId": recording_id})

    async def exists(self, recording_id: str) -> bool:
        ts, _ = await self.app.store.newest()
        [found] = await self.app.store.snapshot(ts).get("recordings", [id_to_bson(recording_id)])
        return found is not None

    async def knees(self, recording_id: str) -> list[ArrayRef]:
        recording = await self.caller.query("recordings:get", {"recordingId": recording_id})
        return [recording["leftKnee"], recording["rightKnee"]]

    async def stored(self, knees: list[ArrayRef]) -> list[bool]:
        return [await self.app.store.arrays.get_manifest(ref.digest) is not None for ref in knees]


@pytest.fixture
async def anna() -> AsyncIterator[Anna]:
    async with TestApp(motion()) as app:
        caller = app.caller("anna@example.org")
        user_id = await caller.mutation("users:register", {"role": "physiotherapist", "name": "Anna"})
        yield Anna(app, caller, user_id)


@pytest.mark.slow
async def test_after_thirty_days_in_the_archive(anna: Anna) -> None:
    old, kept = await anna.save(1), await anna.save(2)
    await anna.do("recordings:archive", old)
    await anna.app.advance(29 * DAY)
    assert await anna.exists(old)
    await anna.app.advance(2 * DAY)
    assert not await anna.exists(old)
    assert await anna.exists(kept)


@pytest.mark.slow
async def test_one_that_was_restored_begins_anew(anna: Anna) -> None:
    recording = await anna.save(1)
    await anna.do("recordings:archive", recording)
    await anna.app.advance(29 * DAY)
    await anna.do("recordings:restore", recording)
    await anna.app.advance(10 * DAY)
    assert await anna.exists(recording)
    await anna.do("recordings:archive", recording)
    await anna.app.advance(29 * DAY)
    assert await anna.exists(recording)


async def test_more_than_fit_into_one_transaction(anna: Anna) -> None:
    kept = await anna.save(1)
    document = (await anna.app.store.snapshot(anna.app.engine.head).get("recordings", [id_to_bson(kept)]))[0]
    assert document is not None
    at = int(anna.app.clock.now * 1000) - 31 * int(DAY) * 1000
    copies = [
        {**document, "_id": f"copy {number}", "isArchived": True, "archivedAt": at + number} for number in range(250)
    ]
    ts = await anna.app.store.commit(Batch([Write("recordings", copy["_id"], None, copy) for copy in copies]))
    await anna.app.engine.wait_for(ts)
    await anna.app.advance(DAY)
    ts, _ = await anna.app.store.newest()
    left = await anna.app.store.snapshot(ts).get("recordings", [copy["_id"] for copy in copies])
    assert left == [None] * 250
    assert await anna.exists(kept)


async def test_restoring_at_the_same_moment_is_before_or_after_it(anna: Anna) -> None:
    recordings = [await anna.save(seed) for seed in range(20)]
    for recording in recordings:
        await anna.do("recordings:archive", recording)
    anna.app.clock.advance(31 * DAY)
    restoring: list[Any] = await asyncio.gather(
        *(anna.do("recordings:restore", recording) for recording in recordings),
        anna.app.engine.mutate("purging:purge", {}, None, origin=CallOrigin.FUNCTION),
        return_exceptions=True,
    )
    outcomes = restoring[:-1]
    for recording, outcome in zip(recordings, outcomes, strict=True):
        assert await anna.exists(recording) == (outcome is None)
        assert outcome is None or outcome.code == "not_found"


async def test_clients_do_not_purge(anna: Anna) -> None:
    with pytest.raises(FunctionError) as caught:
        await anna.caller.mutation("purging:purge", {})
    assert caught.value.code == "unknown_function"


# --- and their samples ------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_samples_go_with_the_next_sweep_unless_another_recording_has_them(anna: Anna) -> None:
    old, same, other = await anna.save(1), await anna.save(1), await anna.save(2)
    of_old, of_other = await anna.knees(old), await anna.knees(other)
    for recording in (old, other):
        await anna.do("recordings:archive", recording)
    await anna.app.advance(31 * DAY)
    await anna.app.engine.sweep_arrays(GRACE)
    assert await anna.stored(of_old) == [True, True]
    assert await anna.stored(of_other) == [False, False]
    await anna.do("recordings:archive", same)
    await anna.app.advance(31 * DAY)
    swept = await anna.app.engine.sweep_arrays(GRACE)
    assert (swept.arrays, swept.bytes) == (2, 800)


async def test_samples_of_saves_that_failed_go(anna: Anna) -> None:
    left = np.arange(20.0)
    with pytest.raises(FunctionError):
        await anna.caller.mutation("recordings:save", {"leftKnee": left, "rightKnee": left[:5], "sampleRate": 100.0})
    assert (await anna.app.engine.sweep_arrays(GRACE)).arrays == 0
    await anna.app.advance(DAY + HOUR)
    assert (await anna.app.engine.sweep_arrays(GRACE)).arrays == 2


async def test_batches_of_a_live_session_go_and_its_recording_stays_whole(anna: Anna) -> None:
    session = await anna.caller.mutation("live:start", {"sampleRate": 100.0})
    samples = np.random.default_rng(3).standard_normal(400)
    for position in range(0, 400, 10):
        part = samples[position : position + 10]
        args = {"sessionId": session, "position": position, "leftKnee": part, "rightKnee": -part}
        await anna.caller.mutation("live:append", args)
    recording = await anna.caller.mutation("live:finish", {"sessionId": session})
    await anna.app.advance(2 * DAY)
    assert (await anna.app.engine.sweep_arrays(GRACE)).arrays >= 80
    left, right = [await anna.caller.array(ref) for ref in await anna.knees(recording)]
    assert left.tobytes() == samples.tobytes()
    assert right.tobytes() == (-samples).tobytes()
