"""The main job, as its users have it: somebody saves a recording, and every other window follows at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient

from apps import board
from helpers.patience import PATIENCE
from helpers.running_hub import RunningHub, running_hub
from synovia.functions.registry import collect
from synovia_client import ArrayRef, Client, FunctionError, Subscription
from synovia_protocol import codec
from synovia_protocol.messages import QueryPatch, Transition

pytestmark = pytest.mark.same_tables


def knees(count: int = 300) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    time = np.arange(count) / 100
    return 30 - 30 * np.cos(2 * np.pi * time), 30 + 30 * np.cos(2 * np.pi * time)


async def save(client: Client, count: int = 300, **more: Any) -> str:
    left, right = knees(count)
    return str(
        await client.mutation("recordings:save", {"leftKnee": left, "rightKnee": right, "sampleRate": 100.0, **more})
    )


async def until(values: Subscription[Any], wanted: Callable[[Any], bool]) -> Any:
    """Follow a subscription until a value is the one wanted."""
    async with asyncio.timeout(PATIENCE):
        async for value in values:
            if wanted(value):
                return value
    raise AssertionError("the subscription ended")


async def test_a_list_follows_what_a_colleague_saves(clinic: RunningHub) -> None:
    ann = await clinic.person("ann")
    elsewhere = await clinic.connect("ann")
    async with ann.subscribe("recordings:list_mine", {"limit": 20}) as recordings:
        assert await until(recordings, lambda value: True) == []
        recording_id = await save(elsewhere, notes="first")
        [recording] = await until(recordings, bool)
        assert (recording["_id"], recording["notes"], recording["sampleCount"]) == (recording_id, "first", 300)
        assert isinstance(recording["leftKnee"], ArrayRef)
        left, right = knees()
        assert (await ann.array(recording["leftKnee"])).tobytes() == left.tobytes()
        assert (await ann.array(recording["rightKnee"], start=10, stop=20)).tobytes() == right[10:20].tobytes()
        thinned = await ann.array(recording["leftKnee"], points=20)
        assert thinned.shape == (10, 2)
        assert (thinned[:, 0].min(), thinned[:, 1].max()) == (left.min(), left.max())
        await elsewhere.mutation("recordings:rename", {"recordingId": recording_id, "notes": "second"})
        await until(recordings, lambda value: value[0]["notes"] == "second")


async def test_a_response_never_comes_before_what_it_caused(clinic: RunningHub) -> None:
    ann = await clinic.person("ann")
    async with ann.subscribe("recordings:list_mine") as recordings:
        await until(recordings, lambda value: True)
        for number in range(1, 11):
            await save(ann, 2)
            assert len(recordings.value) == number


async def test_special_numbers_come_back_bit_for_bit(clinic: RunningHub) -> None:
    ann = await clinic.person("ann")
    bits = [0x7FF8000000000001, 0x7FF0000000000001, 0xFFF8DEADBEEF0001, 1, 0x8000000000000000, 0x7FF0000000000000]
    special = np.array([*bits, 0xFFF0000000000000, 0x000FFFFFFFFFFFFF], dtype=np.uint64).view(np.float64)
    unaligned = np.frombuffer(b"x" + special.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    args = {"leftKnee": unaligned, "rightKnee": special[::-1], "sampleRate": 100.0}
    await ann.mutation("recordings:save", args)
    [recording] = await ann.query("recordings:list_mine")
    assert (await ann.array(recording["leftKnee"])).tobytes() == special.tobytes()
    assert (await ann.array(recording["rightKnee"])).tobytes() == special[::-1].tobytes()


async def test_a_million_samples_a_side(clinic: RunningHub) -> None:
    ann = await clinic.person("ann")
    samples = np.random.default_rng(7).standard_normal((2, 1_000_000))
    progress: list[tuple[int, int]] = []
    args = {"leftKnee": samples[0], "rightKnee": samples[1], "sampleRate": 1000.0}
    await ann.mutation("recordings:save", args, on_progress=lambda done, total: progress.append((done, total)))
    assert progress[-1] == (16_000_000, 16_000_000)
    other = await clinic.connect("ann")
    [recording] = await other.query("recordings:list_mine")
    assert recording["durationMs"] == 999_999.0
    for side, name in enumerate(("leftKnee", "rightKnee")):
        assert (await other.array(recording[name])).tobytes() == samples[side].tobytes()
    whole = await other.array(recording["leftKnee"], points=2000)
    assert (whole[:, 0].min(), whole[:, 1].max()) == (samples[0].min(), samples[0].max())


@pytest.mark.slow
async def test_one_field_of_one_in_a_thousand_is_a_small_transition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def spying(*args: Any) -> bytes:
        seen.append(codec.encode_transition(*args))
        return seen[-1]

    monkeypatch.setattr("synovia.sync.transitions.encode_transition", spying)
    async with running_hub("sqlite://:memory:", collect("board", [board])) as clinic:
        writer, reader = await clinic.connect("ann"), await clinic.connect("ben")
        for number in range(1000):
            await writer.mutation("board:add", {"slug": f"card {number}", "rank": number, "tags": ["red", "green"]})
        async with reader.subscribe("board:on_board", {"board": "a", "limit": 1000}) as cards:
            await until(cards, lambda value: len(value) == 1000)
            seen.clear()
            await writer.mutation("board:change", {"slug": "card 500", "note": "one field of one document"})
            await until(cards, lambda value: value[500].get("note") == "one field of one document")
    [frame] = seen
    message = codec.decode_server(frame)
    assert isinstance(message, Transition)
    assert isinstance(message.updates[0], QueryPatch)
    assert len(frame) <= 200


async def test_clients_see_each_others_sharing(clinic: RunningHub) -> None:
    ann, pat = await clinic.person("ann"), await clinic.person("pat", "patient")
    await ann.mutation("contacts:add", {"email": "pat@example.org", "alias": "Patty"})
    await pat.mutation("contacts:add", {"email": "ann@example.org"})
    recording_id = await save(ann)
    me = await pat.query("users:me")
    async with pat.subscribe("recordings:list_shared") as shared:
        assert await until(shared, lambda value: True) == []
        await ann.mutation("recordings:share", {"recordingId": recording_id, "userId": me["_id"]})
        [recording] = await until(shared, bool)
        left, _ = knees()
        assert (await pat.array(recording["leftKnee"])).tobytes() == left.tobytes()
        await ann.mutation("recordings:unshare", {"recordingId": recording_id, "userId": me["_id"]})
        assert await until(shared, lambda value: not value) == []
    with pytest.raises(FunctionError) as caught:
        await pat.query("recordings:get", {"recordingId": recording_id})
    assert caught.value.code == "not_found"
    with pytest.raises(FunctionError):
        await pat.array(recording["leftKnee"])


@pytest.mark.mongodb
async def test_another_programs_write_reaches_the_subscribers(
    mongodb_store: str, mongodb_uri: str, database_name: str
) -> None:
    async with running_hub(mongodb_store) as clinic, AsyncMongoClient[dict[str, Any]](mongodb_uri) as mongo:
        ann = await clinic.person("ann")
        recording_id = await save(ann, notes="before")
        recordings = mongo[database_name]["recordings"]
        async with ann.subscribe("recordings:list_mine") as mine:
            await until(mine, bool)
            await recordings.update_one({"_id": ObjectId(recording_id)}, {"$set": {"notes": "by another program"}})
            await until(mine, lambda value: value[0]["notes"] == "by another program")
            document = await recordings.find_one({"_id": ObjectId(recording_id)})
            assert document is not None
            copies = [{**document, "_id": ObjectId(), "startTime": document["startTime"] + n} for n in (1, 2)]
            await recordings.insert_many(copies)
            await until(mine, lambda value: len(value) == 3)
            await recordings.delete_one({"_id": ObjectId(recording_id)})
            await until(mine, lambda value: len(value) == 2)


@pytest.mark.mongodb
async def test_two_hubs_on_one_database(mongodb_store: str) -> None:
    async with running_hub(mongodb_store) as one, running_hub(mongodb_store) as other:
        here, there = await one.person("ann"), await other.connect("ann")
        await other.app.engine.wait_for(one.app.engine.head)  # the other hub learns of the registration by its own log
        async with there.subscribe("recordings:list_mine") as mine:
            await until(mine, lambda value: True)
            await asyncio.gather(*(save(client, 2) for client in (here, there) * 5))
            await until(mine, lambda value: len(value) == 10)
