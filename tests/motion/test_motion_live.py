"""The life of live sessions: who may begin and follow one, how it is finished, and what ends it by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from helpers.motion_live import RunningHub, batches, fill, joined, live_clinic
from helpers.motion_people import MISSING_ID, refused
from motion.gait import walk
from synovia import FunctionError, keys
from synovia.keys import BY_ID
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

MINUTES = 60.0


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with live_clinic() as clinic:
        yield clinic


async def drop_all(app: TestApp, table: str) -> None:
    """Delete every document of a table, as somebody with access to the database could."""
    ts, _ = await app.store.newest()
    found = await app.store.snapshot(ts).scan(table, BY_ID, keys.prefix([]))
    ts = await app.store.commit(Batch([Write(table, each["_id"], each, None) for each in found]))
    await app.engine.wait_for(ts)


class TestStarting:
    @pytest.mark.parametrize("rate", [0, -1.0, 2_001.0, float("nan"), float("inf"), "100", None])
    async def test_rates(self, clinic: RunningHub, rate: Any) -> None:
        async with refused("invalid_arguments"):
            await clinic.anna.mutation("live:start", sampleRate=rate)

    async def test_strangers_are_neither_subjects_nor_viewers(self, clinic: RunningHub) -> None:
        for other in (clinic.carl.id, MISSING_ID):
            async with refused("not_a_contact"):
                await clinic.anna.begin(subjectId=other)
            async with refused("not_a_contact"):
                await clinic.anna.begin(sharedWith=[clinic.ben.id, other])
        assert await clinic.anna.query("live:list_running") == []

    async def test_a_few_at_a_time(self, clinic: RunningHub) -> None:
        sessions = [await clinic.anna.begin() for _ in range(5)]
        async with refused("limit_exceeded"):
            await clinic.anna.begin()
        await clinic.ben.begin()
        await clinic.anna.mutation("live:discard", sessionId=sessions[0])
        await clinic.anna.begin()


class TestWhoFollows:
    async def test_owner_subject_and_those_it_is_shared_with(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id, sharedWith=[clinic.dora.id, clinic.anna.id])
        await clinic.anna.append(session, 0, np.arange(5.0))
        for person in (clinic.anna, clinic.ben, clinic.dora):
            [listed] = await person.query("live:list_running")
            assert (listed["_id"], listed["sampleCount"]) == (session, 5)
            assert (await person.query("live:follow", sessionId=session))["sampleCount"] == 5
        [of_ben], [of_dora] = [await each.query("live:list_running") for each in (clinic.ben, clinic.dora)]
        assert "sharedWith" not in of_ben
        assert of_dora["sharedWith"] == [clinic.dora.id]

    async def test_nobody_else(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id)
        for person in (clinic.carl, clinic.dora):
            assert await person.query("live:list_running") == []
            for path in ("live:finish", "live:discard"):
                async with refused("not_found"):
                    await person.mutation(path, sessionId=session)
            async with refused("not_found"):
                await person.query("live:follow", sessionId=session)
            async with refused("not_found"):
                await person.append(session, 0, np.zeros(1))
        async with refused("not_registered"):
            await clinic.app.caller("eve@example.org").query("live:follow", {"sessionId": session})
        async with refused("unauthenticated"):
            await clinic.app.caller().query("live:follow", {"sessionId": session})

    async def test_viewers_change_nothing(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id, sharedWith=[clinic.dora.id])
        for person in (clinic.ben, clinic.dora):
            for path in ("live:finish", "live:discard"):
                async with refused("forbidden"):
                    await person.mutation(path, sessionId=session)
            async with refused("forbidden"):
                await person.append(session, 0, np.zeros(1))

    async def test_a_share_ends_with_the_contact_even_while_it_runs(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id, sharedWith=[clinic.dora.id])
        await clinic.anna.append(session, 0, np.zeros(5))
        for person in (clinic.ben, clinic.dora):
            await clinic.anna.mutation("contacts:remove", userId=person.id)
        async with refused("not_found"):
            await clinic.dora.query("live:follow", sessionId=session)
        assert await clinic.dora.query("live:list_running") == []
        assert (await clinic.ben.query("live:follow", sessionId=session))["sampleCount"] == 5, (
            "what is of Ben stays his"
        )
        recording_id = await clinic.anna.mutation("live:finish", sessionId=session)
        assert "sharedWith" not in await clinic.anna.query("recordings:get", recordingId=recording_id)


class TestFinishing:
    async def test_the_recording_holds_every_sample_and_what_was_told(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id, sharedWith=[clinic.dora.id])
        gait = walk(9.99, seed=3)
        for position in range(0, 1000, 40):
            await clinic.app.advance(0.4)
            part = slice(position, position + 40)
            await clinic.anna.append(session, position, gait.left_knee[part], gait.right_knee[part])
        told = {"notes": "stairs", "exerciseType": "walking", "tags": ["a", "a", "b"]}
        recording_id = await clinic.anna.mutation("live:finish", sessionId=session, **told)
        for person in (clinic.anna, clinic.ben, clinic.dora):
            recording = await person.query("recordings:get", recordingId=recording_id)
            assert (await person.caller.array(recording["leftKnee"])).tobytes() == gait.left_knee.tobytes()
            assert (await person.caller.array(recording["rightKnee"])).tobytes() == gait.right_knee.tobytes()
        assert {name: recording[name] for name in told} == {**told, "tags": ["a", "b"]}
        assert recording["sampleCount"] == 1000
        assert recording["durationMs"] == 9990.0
        assert recording["endTime"] - recording["startTime"] == 10_000
        assert await clinic.anna.query("live:list_running") == []

    async def test_viewers_are_led_to_the_recording(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id)
        parts = batches(30)
        await fill(clinic.anna, session, parts)
        recording_id = await clinic.anna.mutation("live:finish", sessionId=session)
        growth = await clinic.ben.query("live:follow", sessionId=session)
        assert growth["recordingId"] == recording_id
        assert (await clinic.ben.samples(session))[0].tobytes() == joined(parts).tobytes()
        await clinic.anna.mutation("recordings:archive", recordingId=recording_id)
        async with refused("not_found"):
            await clinic.ben.query("live:follow", sessionId=session)

    async def test_twice_is_once(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        await clinic.anna.append(session, 0, np.zeros(5))
        both = await asyncio.gather(*(clinic.anna.mutation("live:finish", sessionId=session) for _ in range(5)))
        assert len(set(both)) == 1
        assert len(await clinic.anna.query("recordings:list_mine")) == 1

    async def test_an_append_beside_it_is_in_the_recording_or_refused(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        await clinic.anna.append(session, 0, np.zeros(5))
        outcomes: Any = await asyncio.gather(
            clinic.anna.mutation("live:finish", sessionId=session),
            clinic.anna.append(session, 5, np.ones(5)),
            return_exceptions=True,
        )
        finishing, appending = outcomes
        recording = await clinic.anna.query("recordings:get", recordingId=finishing)
        assert recording["sampleCount"] == (10 if appending == 10 else 5)
        assert appending == 10 or (isinstance(appending, FunctionError) and appending.code == "finished")

    async def test_what_comes_after_it_is_refused(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        await clinic.anna.append(session, 0, np.zeros(5))
        recording_id = await clinic.anna.mutation("live:finish", sessionId=session)
        async with refused("finished", {"recordingId": recording_id}):
            await clinic.anna.append(session, 5, np.zeros(5))
        async with refused("finished"):
            await clinic.anna.mutation("live:discard", sessionId=session)

    async def test_nothing_is_no_recording(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        async with refused("empty"):
            await clinic.anna.mutation("live:finish", sessionId=session)
        await clinic.anna.mutation("live:discard", sessionId=session)
        async with refused("not_found"):
            await clinic.anna.mutation("live:finish", sessionId=session)

    async def test_discarding_leaves_nothing(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id)
        await fill(clinic.anna, session, batches(30))
        await clinic.anna.mutation("live:discard", sessionId=session)
        async with refused("not_found"):
            await clinic.ben.query("live:follow", sessionId=session)
        assert await clinic.anna.query("live:list_running") == []
        assert await clinic.anna.query("recordings:list_mine") == []


class TestSessionsThatNobodyLooksAfter:
    async def test_one_that_stands_still_is_finished(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id)
        parts = batches(30)
        await fill(clinic.anna, session, parts)
        await clinic.app.advance(9 * MINUTES)
        await clinic.anna.append(session, 300, parts[0])
        await clinic.app.advance(9 * MINUTES)
        assert len(await clinic.anna.query("live:list_running")) == 1
        await clinic.app.advance(2 * MINUTES)
        assert await clinic.anna.query("live:list_running") == []
        [recording] = await clinic.ben.query("recordings:list_of_me")
        samples = await clinic.ben.caller.array(recording["leftKnee"])
        assert samples.tobytes() == joined([*parts, parts[0]]).tobytes()
        assert (await clinic.ben.query("live:follow", sessionId=session))["recordingId"] == recording["_id"]

    async def test_an_empty_one_is_discarded(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        await clinic.app.advance(11 * MINUTES)
        async with refused("not_found"):
            await clinic.anna.query("live:follow", sessionId=session)
        assert await clinic.anna.query("recordings:list_mine") == []

    async def test_one_that_was_finished_is_forgotten_and_its_recording_is_not(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        await clinic.anna.append(session, 0, np.zeros(5))
        await clinic.anna.mutation("live:finish", sessionId=session)
        await clinic.app.advance(59 * MINUTES)
        assert (await clinic.anna.query("live:follow", sessionId=session))["sampleCount"] == 5
        await clinic.app.advance(2 * MINUTES)
        async with refused("not_found"):
            await clinic.anna.query("live:follow", sessionId=session)
        assert len(await clinic.anna.query("recordings:list_mine")) == 1

    async def test_one_whose_turn_was_missed(self, clinic: RunningHub) -> None:
        """Its call was lost, say because looking after it failed."""
        day, noon = 24 * 60, 12 * 60
        await clinic.app.advance((noon - clinic.app.clock.now // 60 % day) % day * MINUTES)  # the cron is at night
        session = await clinic.anna.begin()
        await clinic.anna.append(session, 0, np.zeros(5))
        await drop_all(clinic.app, "_scheduled")
        await clinic.app.advance(12 * 60 * MINUTES)
        assert len(await clinic.anna.query("live:list_running")) == 1
        await clinic.app.advance(14 * 60 * MINUTES)
        assert await clinic.anna.query("live:list_running") == []
        assert len(await clinic.anna.query("recordings:list_mine")) == 1

    async def test_clients_do_not_end_what_runs(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        for path in ("live:tend", "live:look_after"):
            async with refused("unknown_function"):
                await clinic.anna.mutation(path, sessionId=session)
