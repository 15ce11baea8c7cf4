"""Live sessions: appending, following, finishing, and what is refused to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from helpers.motion_people import MISSING_ID, Person, befriend, motion, refused, register
from motion.cli.following import batch_of, stretches
from motion.gait import walk
from motion.small_batches import SAMPLE_BYTES, SMALL_BATCH, packed
from synovia import FunctionError, keys
from synovia.keys import BY_ID
from synovia.store.base import Batch, Write
from synovia.testing import TestApp

MINUTES = 60.0
Floats = npt.NDArray[np.float64]


class Measurer(Person):
    """A registered person, and what they do with live sessions."""

    async def begin(self, **more: Any) -> str:
        session: str = await self.mutation("live:start", sampleRate=100.0, **more)
        return session

    async def append(self, session: str, position: int, left: Floats, right: Floats | None = None) -> Any:
        right = left + 1 if right is None else right
        return await self.mutation("live:append", sessionId=session, position=position, leftKnee=left, rightKnee=right)

    async def append_packed(self, session: str, position: int, samples: bytes) -> Any:
        return await self.mutation("live:append", sessionId=session, position=position, samples=samples)

    async def samples(self, session: str) -> tuple[Floats, Floats]:
        """Fetch every segment, checking that they lie side by side."""
        growth = await self.query("live:follow", sessionId=session)
        left: list[Floats] = []
        right: list[Floats] = []
        reached = 0
        for segment in stretches(growth):
            assert segment["start"] == reached
            reached += segment["count"]
            for knee, parts in (("leftKnee", left), ("rightKnee", right)):
                array = segment[knee]
                parts.append(array if isinstance(array, np.ndarray) else await self.caller.array(array))
            assert len(left[-1]) == len(right[-1]) == segment["count"]
        assert reached == growth["sampleCount"]
        return joined(left), joined(right)


def joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])


@dataclass
class RunningHub:
    """Anna, a physiotherapist, and Ben and Dora are contacts; Carl knows nobody."""

    app: TestApp
    anna: Measurer
    ben: Measurer
    carl: Measurer
    dora: Measurer


async def _measurer(app: TestApp, name: str, role: str) -> Measurer:
    return Measurer(**vars(await register(app, name, role)))


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        anna = await _measurer(app, "Anna", "physiotherapist")
        ben, carl, dora = [await _measurer(app, name, "patient") for name in ("Ben", "Carl", "Dora")]
        await befriend(anna, ben)
        await befriend(anna, dora)
        yield RunningHub(app, anna, ben, carl, dora)


def batches(count: int, size: int = 10, seed: int = 1) -> list[Floats]:
    return list(np.random.default_rng(seed).standard_normal((count, size)))


async def fill(person: Measurer, session: str, parts: Sequence[Floats]) -> None:
    position = 0
    for part in parts:
        await person.append(session, position, part)
        position += len(part)


async def drop_all(app: TestApp, table: str) -> None:
    """Delete every document of a table, as somebody with access to the database could."""
    ts, _ = await app.store.newest()
    found = await app.store.snapshot(ts).scan(table, BY_ID, keys.prefix([]))
    ts = await app.store.commit(Batch([Write(table, each["_id"], each, None) for each in found]))
    await app.engine.wait_for(ts)


class TestAppending:
    async def test_what_is_appended_is_followed_bit_for_bit(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin(subjectId=clinic.ben.id)
        strange = np.array([np.nan, -0.0, np.inf, -np.inf, 5e-324])
        strange.view(np.uint64)[0] = 0x7FF8_0000_DEAD_BEEF
        assert await clinic.anna.append(session, 0, strange, strange[::-1].copy()) == 5
        left, right = await clinic.ben.samples(session)
        assert left.tobytes() == strange.tobytes()
        assert right.tobytes() == strange[::-1].tobytes()

    @pytest.mark.slow
    async def test_older_batches_become_few_segments_that_hold_the_same(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        parts = batches(400)
        await fill(clinic.anna, session, parts)
        growth = await clinic.anna.query("live:follow", sessionId=session)
        assert len(growth["segments"]) <= 7 + 7
        assert [len(each) for each in growth["recent"]][-16:] == [10 * 2 * 8] * 16, "the newest stay as they were"
        assert len(growth["recent"]) < 32
        left, right = await clinic.anna.samples(session)
        assert left.tobytes() == joined(parts).tobytes()
        assert right.tobytes() == (joined(parts) + 1).tobytes()

    async def test_batches_that_a_session_has_not_counted_are_merged_all_the_same(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        parts = batches(31 + 34)
        await fill(clinic.anna, session, parts[:31])
        ts, _ = await clinic.app.store.newest()
        [held] = await clinic.app.store.snapshot(ts).scan("liveSessions", BY_ID, keys.prefix([]))
        assert held["unmerged"] == 31
        uncounted = {name: value for name, value in held.items() if name != "unmerged"}  # as of a version before
        await clinic.app.store.commit(Batch([Write("liveSessions", held["_id"], held, uncounted)]))
        for number, part in enumerate(parts[31:], 31):
            await clinic.anna.append(session, 10 * number, part)
        growth = await clinic.anna.query("live:follow", sessionId=session)
        assert (len(growth["recent"]), len(growth["segments"])) == (65 - 3 * 16, 3)
        assert (await clinic.anna.samples(session))[0].tobytes() == joined(parts).tobytes()

    async def test_a_segment_of_a_whole_chunk_is_merged_no_further(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        clinic.app.clock.advance(120 * MINUTES)
        parts = batches(40, 11_000)
        await fill(clinic.anna, session, parts)
        growth = await clinic.anna.query("live:follow", sessionId=session)
        assert [each["count"] for each in growth["segments"]] == [176_000, *[11_000] * 24]
        assert (await clinic.anna.samples(session))[0].tobytes() == joined(parts).tobytes()

    @pytest.mark.slow
    async def test_batches_of_all_sizes(self, clinic: RunningHub) -> None:
        """Final segments leave gaps in their level; merging must not reach over them."""
        session = await clinic.anna.begin()
        clinic.app.clock.advance(120 * MINUTES)
        random = np.random.default_rng(5)
        parts = [random.standard_normal(size) for size in random.choice([1, 3, 700, 9_000, 20_000], 120)]
        await fill(clinic.anna, session, parts)
        left, _ = await clinic.anna.samples(session)
        assert left.tobytes() == joined(parts).tobytes()
        growth = await clinic.anna.query("live:follow", sessionId=session)
        assert len(growth["segments"]) < 60

    async def test_small_batches_lie_behind_the_segments_whatever_comes_between(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        parts = [np.random.default_rng(8).standard_normal(size) for size in (128, 1, 129, 5, 128, 3_000, 2, 2)]
        await fill(clinic.anna, session, parts)
        growth = await clinic.anna.query("live:follow", sessionId=session)
        assert [each["count"] for each in growth["segments"]] == [129, 129, 133, 3_000]
        assert [len(each) for each in growth["recent"]] == [2 * 2 * 8] * 2
        assert (await clinic.anna.samples(session))[0].tobytes() == joined(parts).tobytes()

    async def test_a_batch_that_is_there_is_accepted_again(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        parts = batches(40)
        await fill(clinic.anna, session, parts)
        for number in (0, 15, 16, 39):  # merged ones too
            assert await clinic.anna.append(session, 10 * number, parts[number]) == 400
        assert (await clinic.anna.samples(session))[0].tobytes() == joined(parts).tobytes()

    @pytest.mark.parametrize("position", [0, 5, 15, 25, 3_599_990])
    async def test_out_of_order(self, clinic: RunningHub, position: int) -> None:
        session = await clinic.anna.begin()
        await fill(clinic.anna, session, batches(2))
        async with refused("out_of_order", {"sampleCount": 20}):
            await clinic.anna.append(session, position, np.zeros(10))
        assert (await clinic.anna.query("live:follow", sessionId=session))["sampleCount"] == 20

    async def test_other_samples_for_a_place_that_is_taken(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        [part] = batches(1)
        await clinic.anna.append(session, 0, part)
        async with refused("out_of_order"):
            await clinic.anna.append(session, 0, part, part)

    async def test_two_programs_that_append_at_once_make_one_series(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        parts = batches(8)
        tried = await asyncio.gather(*(clinic.anna.append(session, 0, part) for part in parts), return_exceptions=True)
        assert sum(isinstance(each, FunctionError) for each in tried) == 7
        left, _ = await clinic.anna.samples(session)
        assert [left.tobytes() == part.tobytes() for part in parts].count(True) == 1

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (np.zeros(0), np.zeros(0)),
            (np.zeros(3), np.zeros(4)),
            (np.zeros((2, 2)), np.zeros((2, 2))),
            (np.zeros(20_001), np.zeros(20_001)),
            (np.zeros(3, dtype=np.float32), np.zeros(3, dtype=np.float32)),
            ([1.0], [1.0]),
            ("samples", {}),
        ],
    )
    async def test_what_is_no_batch(self, clinic: RunningHub, left: Any, right: Any) -> None:
        session = await clinic.anna.begin()
        async with refused("invalid_arguments"):
            await clinic.anna.append(session, 0, left, right)

    async def test_a_small_batch_may_come_as_bytes_and_is_the_same_batch(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        parts = batches(40)
        for number, part in enumerate(parts):
            assert await clinic.anna.append_packed(session, 10 * number, packed(part, part + 1)) == 10 * number + 10
        left, right = await clinic.anna.samples(session)
        assert left.tobytes() == joined(parts).tobytes()
        assert right.tobytes() == joined([part + 1 for part in parts]).tobytes()
        assert await clinic.anna.append(session, 390, parts[39]) == 400  # the very same, as arrays
        for number in (0, 39):  # merged into arrays, and small as it came
            assert (
                await clinic.anna.append_packed(session, 10 * number, packed(parts[number], parts[number] + 1)) == 400
            )
        async with refused("out_of_order", {"sampleCount": 400}):
            await clinic.anna.append_packed(session, 390, packed(parts[39], parts[39]))

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"samples": b""},
            {"samples": bytes(8)},
            {"samples": bytes(17)},
            {"samples": bytes(SAMPLE_BYTES * (SMALL_BATCH + 1))},
            {"samples": bytes(16), "leftKnee": np.zeros(1), "rightKnee": np.zeros(1)},
            {"samples": bytes(16), "rightKnee": np.zeros(1)},
            {"leftKnee": np.zeros(1)},
            {"rightKnee": np.zeros(1)},
        ],
    )
    async def test_a_batch_is_either_two_arrays_or_bytes_of_both_knees(self, clinic: RunningHub, more: Any) -> None:
        session = await clinic.anna.begin()
        async with refused("invalid_arguments"):
            await clinic.anna.mutation("live:append", sessionId=session, position=0, **more)

    @pytest.mark.parametrize("count", [1, SMALL_BATCH, SMALL_BATCH + 1])
    async def test_clients_upload_only_what_is_too_large_to_be_bytes(self, clinic: RunningHub, count: int) -> None:
        session = await clinic.anna.begin()
        [part] = batches(1, count)
        batch = batch_of(part, part + 1)
        assert ("samples" in batch) == (count <= SMALL_BATCH)
        assert await clinic.anna.mutation("live:append", sessionId=session, position=0, **batch) == count
        left, right = await clinic.anna.samples(session)
        assert (left.tobytes(), right.tobytes()) == (part.tobytes(), (part + 1).tobytes())

    @pytest.mark.parametrize("position", [-1, 1.0, "0", None, 2**63, 3_600_001])
    async def test_what_is_no_position(self, clinic: RunningHub, position: Any) -> None:
        session = await clinic.anna.begin()
        async with refused("invalid_arguments"):
            await clinic.anna.append(session, position, np.zeros(2))

    async def test_more_samples_than_there_was_time_for(self, clinic: RunningHub) -> None:
        session = await clinic.anna.begin()
        await clinic.anna.append(session, 0, np.zeros(6_000))
        async with refused("limit_exceeded"):
            await clinic.anna.append(session, 6_000, np.zeros(10))
        await clinic.app.advance(1.0)
        assert await clinic.anna.append(session, 6_000, np.zeros(100)) == 6_100

    @pytest.mark.slow
    async def test_more_samples_than_a_session_may_have(self, clinic: RunningHub) -> None:
        session = await clinic.anna.mutation("live:start", sampleRate=2000.0)
        clinic.app.clock.advance(24 * 60 * MINUTES)
        for position in range(0, 3_600_000, 20_000):
            await clinic.anna.append(session, position, np.full(20_000, float(position)))
        async with refused("limit_exceeded"):
            await clinic.anna.append(session, 3_600_000, np.zeros(1))
        recording = await clinic.anna.query(
            "recordings:get", recordingId=await clinic.anna.mutation("live:finish", sessionId=session)
        )
        assert recording["sampleCount"] == 3_600_000


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
