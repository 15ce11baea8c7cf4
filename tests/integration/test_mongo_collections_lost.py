"""Collections that are dropped or renamed under live hubs, the server's own among them: everything goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import AsyncMongoClient

from helpers.patience import PATIENCE
from helpers.sync_server import Client, Running, client_of, serving
from torture.calls import CLOCKWORK

pytestmark = pytest.mark.mongodb
Outside = Any
MAIN = ("_fence", "_requests", "_scheduled", "beats")


@pytest.fixture
async def hubs(mongodb_uri: str, database_name: str) -> AsyncIterator[tuple[list[Running], Outside]]:
    """Two hubs on one database, and another program at it."""
    address = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(serving(store=address, application=CLOCKWORK, development=True))
            for _ in range(2)
        ]
        outside = await stack.enter_async_context(AsyncMongoClient[dict[str, Any]](mongodb_uri))
        yield running, outside[database_name]


async def counted(client: Client, query_id: int, wanted: int) -> None:
    """Wait until a count is this."""
    async with asyncio.timeout(PATIENCE):
        while client.session.held[query_id].value != wanted:
            await client.result(query_id)


async def works(client: Client, other: Client, query_id: int, name: str) -> None:
    """See that what one hub's client writes, at once and by its schedule, is shown by the other hub."""
    for each in (client, other):
        await each.subscribe(query_id, "beats:ran", {"name": name})
        await each.subscribe(query_id + 1, "beats:ran", {"name": f"{name} 000000"})
    assert (await client.mutate("beats:note", {"name": name})).error is None
    args = {"group": name, "first": 0, "count": 1, "seconds": 0.0, "acting": False}
    assert (await client.mutate("beats:schedule", args)).error is None
    for each in (client, other):
        await counted(each, query_id, 1)
        await counted(each, query_id + 1, 1)


@pytest.mark.parametrize("how", ["drop", "rename", "empty"])
async def test_every_collection_may_go_one_after_the_other(
    hubs: tuple[list[Running], Outside], how: str, database_name: str
) -> None:
    [one, two], outside = hubs
    async with client_of(one) as client, client_of(two) as other:
        await works(client, other, 1, "before")
        names = sorted(name for name in await outside.list_collection_names() if not name.startswith("system."))
        assert set(MAIN) <= set(names)
        for number, name in enumerate(names if how == "drop" else MAIN):
            if how == "empty":
                await outside[name].delete_many({})
            else:
                await (outside[name].drop() if how == "drop" else outside[name].rename(f"lost {name}"))
            await works(client, other, 10 * (number + 1), f"after {name}")


async def test_the_whole_database_may_go(hubs: tuple[list[Running], Outside], database_name: str) -> None:
    [one, two], outside = hubs
    async with client_of(one) as client, client_of(two) as other:
        await works(client, other, 1, "before")
        await outside.client.drop_database(database_name)
        await works(client, other, 10, "after")
        await counted(client, 1, 0)
