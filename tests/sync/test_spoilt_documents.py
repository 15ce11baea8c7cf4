"""Documents of other programs that cannot be decoded, or whose events are too large: hubs go on, also after a restart."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import AsyncMongoClient

from helpers.health import health_of
from helpers.spoilt_documents import largest, undecodable
from helpers.sync_server import client_of, serving
from helpers.waiting import until

pytestmark = pytest.mark.mongodb


def address_of(uri: str, name: str) -> str:
    return urlsplit(uri)._replace(path=f"/{name}").geturl()


async def test_mutations_go_on_beside_them_and_after_a_restart(mongodb_uri: str, database_name: str) -> None:
    address = address_of(mongodb_uri, database_name)
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as outside:
        async with serving(store=address) as running, client_of(running) as client:
            for spoilt in (undecodable(), largest()):
                await outside[database_name].elsewhere.insert_one(spoilt)
                assert (await client.mutate("notes:post", {"board": "a", "text": "beside"})).error is None
            _, health = await health_of(running.port)
            assert health["gaps"] == 0
        await outside[database_name].elsewhere.delete_one({"_id": 1})
        async with serving(store=address) as running, client_of(running) as client:
            assert (await client.mutate("notes:post", {"board": "a", "text": "again"})).error is None
            assert len(await client.subscribe(1, "notes:on_board", {"board": "a"})) == 3


async def test_a_spoilt_document_of_a_table_fails_the_queries_that_read_it_until_it_is_mended(
    mongodb_uri: str, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = address_of(mongodb_uri, database_name)
    async with (
        AsyncMongoClient[dict[str, Any]](mongodb_uri) as outside,
        serving(store=address) as running,
        client_of(running) as client,
    ):
        notes = outside[database_name].notes
        for number, board in ((1, "a"), (2, "b")):
            assert await client.subscribe(number, "notes:on_board", {"board": board}) == []
        with caplog.at_level(logging.WARNING, "synovia"):
            await notes.insert_one(undecodable("spoilt", board="a", text="x"))
            await until(lambda: running.app.engine._log.gaps == 1)
            _, frame = client.mutation("notes:post", {"board": "a", "text": "beside it"})
            await client.send(frame)
            assert [note["text"] for note in await client.result(1)] == ["beside it"]
        assert "of notes at" in caplog.text
        assert "'spoilt'" in caplog.text
        _, health = await health_of(running.port)
        assert (health["log"], health["gaps"]) == ("ok", 1)
        _, frame = client.mutation("notes:post", {"board": "b", "text": "sound"})
        await client.send(frame)
        assert [note["text"] for note in await client.result(2)] == ["sound"]
        await notes.delete_one({"_id": "spoilt"})
