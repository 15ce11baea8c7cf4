"""Files where several hubs serve one database: parts go to whichever, and each reads the addresses of the others."""

from __future__ import annotations

from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from helpers.http_server import APPS, serving
from helpers.uploading import ADA, address, begin, content, send
from synovia_protocol.arrays import CHUNK_BYTES

pytestmark = pytest.mark.mongodb


async def test_parts_and_addresses_of_one_hub_are_good_at_another(mongodb_uri: str, database_name: str) -> None:
    store = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    data = content(3 * CHUNK_BYTES + 5)
    async with AsyncExitStack() as stack:
        hubs = [await stack.enter_async_context(serving(APPS / "cabinet.py", store=store)) for _ in range(2)]
        upload, offset = (await begin(hubs[0], len(data))).json["upload"], 0
        for part in range(4):
            hub, end = hubs[part % 2], min(len(data), offset + CHUNK_BYTES)
            sent = await send(hub, upload, offset, data[offset:end])
            assert (sent.status, sent.headers["upload-offset"]) == (204, str(end))
            offset = end
        added = await hubs[0].call("mutation", "cabinet:add", {"title": "t", "scan": upload}, token=ADA)
        assert added.status == 200, added.body  # though the other hub has completed it
        url = await address(hubs[0], added.json["result"])
        for hub in hubs:
            assert (await hub.ask("GET", url)).body == data
