"""Several hubs on one database: a repeated request runs once wherever it goes, and a caller sees what it has written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from helpers.http_server import Served, serving
from helpers.waiting import until
from synovia.tasks import end

pytestmark = pytest.mark.mongodb
KEY = {"Idempotency-Key": "0123456789abcdef"}


@pytest.fixture
async def hubs(mongodb_uri: str, database_name: str) -> AsyncIterator[list[Served]]:
    store = urlsplit(mongodb_uri)._replace(path=f"/{database_name}").geturl()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving(store=store)) for _ in range(2)]


async def test_a_repeat_at_another_hub_runs_once(hubs: list[Served]) -> None:
    for hub in hubs:
        await hub.call("mutation", "ledger:open_account", {"name": "alice"}, headers=KEY)
    pay = ("mutation", "ledger:pay_in", {"name": "alice", "cents": 5})
    key = {"Idempotency-Key": "another-key-0123456789"}
    answers = await asyncio.gather(*(hub.call(*pay, headers=key) for hub in hubs * 5))
    assert {answer.body for answer in answers} == {b'{"result":5}'}
    other = await hubs[1].call("mutation", "ledger:pay_in", {"name": "alice", "cents": 6}, headers=key)
    assert (other.status, other.code) == (422, "request_reused")


async def test_what_was_written_at_one_hub_is_seen_at_the_other(hubs: list[Served]) -> None:
    await hubs[0].call("mutation", "ledger:open_account", {"name": "alice"})
    for cents in range(1, 30):
        writer, reader = hubs[cents % 2], hubs[(cents + 1) % 2]
        paid = await writer.call("mutation", "ledger:pay_in", {"name": "alice", "cents": 1})
        seen = {"Synovia-After": paid.headers["synovia-ts"]}
        told = await reader.call("query", "ledger:balance", {"name": "alice"}, headers=seen)
        assert told.json == {"result": cents}


async def test_who_goes_waits_no_longer_for_what_a_hub_has_not_seen(hubs: list[Served]) -> None:
    writer, late = hubs
    engine = late.app.engine
    await end([task for task in engine._tasks if task.get_name() == "log"])  # it hears no more of what others write
    opened = await writer.call("mutation", "ledger:open_account", {"name": "alice"})
    body = b'{"path":"ledger:accounts"}'
    head = (
        "POST /api/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nsynovia-after: {opened.headers['synovia-ts']}\r\n\r\n"
    )
    _, caller = await asyncio.open_connection("127.0.0.1", late.port)
    caller.write(head.encode() + body)
    await until(lambda: bool(engine._log._waiting))
    [(_, waits)] = engine._log._waiting
    assert not waits.done()
    caller.transport.abort()
    await until(waits.done)
    assert waits.cancelled()
