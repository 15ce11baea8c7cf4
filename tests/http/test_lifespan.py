from __future__ import annotations

import asyncio

import pytest
import uvicorn

from helpers.sync_server import BOARD, Running, client_of
from synovia.app import Synovia
from synovia.cli.server import AddressError, listen
from synovia.config import Settings
from synovia.store.base import StoreUnavailable


async def test_any_asgi_server_can_run_it_by_its_lifespan() -> None:
    app = Synovia(BOARD, settings=Settings(store=None))
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio"))
        task = asyncio.create_task(server._serve([listener]))
        running = Running(app, server, listener.getsockname()[1])  # type: ignore[arg-type]
        async with client_of(running) as client:
            assert await client.subscribe(1, "notes:on_board", {"board": "a"}) == []
        server.should_exit = True
        await task
    assert app.hub.requests.stopping


async def test_a_store_that_cannot_be_opened_leaves_nothing_running() -> None:
    app = Synovia(BOARD, store="sqlite:////dev/null/x.db", settings=Settings())
    before = asyncio.all_tasks()
    with pytest.raises(StoreUnavailable):
        await app.start()
    assert asyncio.all_tasks() == before
    await app.stop()


def test_a_port_in_use_is_said_clearly() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(AddressError, match=f"another program listens on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_here_is_said_clearly() -> None:
    with pytest.raises(AddressError, match=r"203\.0\.113\.7:80"):
        listen("203.0.113.7", 80)
