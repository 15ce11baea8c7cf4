"""Shared documents while several hubs close their segments: each update is there once, whoever was faster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from pycrdt import Doc, Text, merge_updates
from pydantic import SecretStr

from helpers.running_hub import RunningHub, running_hub
from synovia import keys
from synovia.functions.shared_tables import KEPT_SEGMENTS, SharedHead, SharedState, SharedUpdate
from synovia.hubs.settings import HubsSettings
from synovia.keys import BY_ID
from synovia.store.base import Store
from synovia_client import Client

pytestmark = [pytest.mark.mongodb, pytest.mark.slow]

TOGETHER = Path(__file__).resolve().parents[1] / "apps" / "together.py"
HUBS = HubsSettings(secret=SecretStr("the secret of these hubs"))
NAMES = ["ann", "bob", "cid", "dan"]
UPDATES = 40


@pytest_asyncio.fixture
async def hubs(mongodb_uri: str, database_name: str) -> AsyncIterator[list[RunningHub]]:
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running_hub(address, TOGETHER, hubs=HUBS)) for _ in range(2)]


async def write(client: Client, id_: str, name: str, number: int) -> Doc[Any]:
    """Append updates, some of which are large enough to close a segment; give what was written."""
    doc: Doc[Any] = Doc()
    text, sent = doc.get("text", type=Text), doc.get_state()
    for each in range(number):
        text += f"{name}{each}," + ("." * 6_000 if each % 5 == 0 else "")
        update, sent = doc.get_update(sent), doc.get_state()
        await client.mutation("together:write_text", {"id": id_, "update": update})
    return doc


async def documents(store: Store, table: str) -> list[dict[str, Any]]:
    ts, _ = await store.newest()
    return await store.snapshot(ts).scan(table, BY_ID, keys.prefix(()))


async def test_segments_are_closed_by_several_hubs_at_once_and_nothing_is_lost_or_there_twice(
    hubs: list[RunningHub],
) -> None:
    clients = [await hubs[number % 2].connect(name) for number, name in enumerate(NAMES)]
    id_ = await clients[0].mutation("together:add", {"title": "a", "writers": NAMES})
    written = await asyncio.gather(
        *(write(client, id_, name, UPDATES) for client, name in zip(clients, NAMES, strict=True))
    )
    expected: Doc[Any] = Doc()
    expected.apply_update(merge_updates(*(each.get_update() for each in written)))
    for client in clients:
        found = await client.query("together:text", {"id": id_})
        seen: Doc[Any] = Doc()
        for update in (*found["states"], *found["updates"].values()):
            seen.apply_update(update)
        assert str(seen.get("text", type=Text)) == str(expected.get("text", type=Text))
    store = hubs[0].app.store
    [head] = await documents(store, SharedHead.spec.name)
    assert head["segment"] > KEPT_SEGMENTS, "many updates are large"
    updates = await documents(store, SharedUpdate.spec.name)
    assert {each["segment"] for each in updates} <= set(range(head["oldest"], head["segment"] + 1))
    states = await documents(store, SharedState.spec.name)
    assert head["size"] == sum(each["size"] for each in states)
    # one large update that is there twice would make this more; each of the others keeps a few bytes of its own in a state
    assert head["size"] <= len(expected.get_update()) + 16 * UPDATES * len(NAMES)
