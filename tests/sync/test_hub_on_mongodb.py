from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import numpy as np
import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from helpers.sync_server import Running, client_of, serving
from synovia_protocol.arrays import ref_of
from synovia_protocol.events import ArrayFetched

pytestmark = pytest.mark.mongodb


@pytest_asyncio.fixture
async def running(mongodb_uri: str, database_name: str) -> AsyncIterator[Running]:
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}")
    async with serving(store=address.geturl()) as running:
        yield running


async def test_notes_and_samples_reach_the_other_client(running: Running) -> None:
    samples = np.random.default_rng(1).random(100_000)
    ref = ref_of(samples)
    async with client_of(running) as reader, client_of(running) as writer:
        assert await reader.subscribe(1, "notes:on_board", {"board": "a"}) == []
        await writer.upload(samples, ref)
        assert (await writer.mutate("notes:plot", {"board": "a", "samples": ref})).error is None
        assert [note["samples"] for note in await reader.result(1)] == [ref]
        await reader.send(reader.session.fetch_array(1, 1, ref.digest))
        fetched = await reader.until(lambda event: isinstance(event, ArrayFetched))
        assert fetched.to_numpy().tobytes() == samples.tobytes()


async def test_a_change_by_another_program_reaches_the_subscribers(
    running: Running, mongodb_uri: str, database_name: str
) -> None:
    async with client_of(running) as reader, client_of(running) as writer:
        await writer.mutate("notes:post", {"board": "a", "text": "before"})
        (note,) = await reader.subscribe(1, "notes:on_board", {"board": "a"})
        async with AsyncMongoClient[dict[str, object]](mongodb_uri) as other:
            await other[database_name]["notes"].update_one({"text": "before"}, {"$set": {"text": "after"}})
        assert await reader.result(1) == [{**note, "text": "after"}]
