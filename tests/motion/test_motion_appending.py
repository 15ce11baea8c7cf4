"""Samples that are appended to a live session are followed and recorded, each once and to the last bit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from helpers.motion_live import RunningHub, batches, fill, joined, live_clinic
from helpers.motion_people import refused
from motion.cli.following import batch_of
from motion.small_batches import SAMPLE_BYTES, SMALL_BATCH, packed
from synovia import FunctionError, keys
from synovia.keys import BY_ID
from synovia.store.base import Batch, Write

MINUTES = 60.0


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with live_clinic() as clinic:
        yield clinic


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
