"""The client on a real hub: answers are of now, a hub too busy to look at tokens harms nobody, and a hub below a path."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from helpers.patience import PATIENCE
from helpers.sync_server import BOARD as APPLICATION
from helpers.sync_server import Running, fresh_board, serving
from synovia.app import Synovia
from synovia.cli.server import listen
from synovia.functions.registry import load_application
from synovia.identity import Identity, SignIn
from synovia_client import Backoff, Client

BOARD = {"board": "a"}


def client_of(running: Running, **options: Any) -> Client:
    return Client(f"ws://127.0.0.1:{running.port}", proxy=None, backoff=Backoff(0.01, 0.1), **options)


async def test_a_query_holds_what_was_acknowledged_before_it_was_asked() -> None:
    async with serving() as running, client_of(running) as reader, client_of(running) as writer:
        fresh_board()
        async with reader.subscribe("notes:on_board", BOARD):
            for number in range(1, 21):
                await writer.mutation("notes:post", {**BOARD, "text": str(number)})
                assert len(await reader.query("notes:on_board", BOARD)) == number


async def test_a_query_that_somebody_asked_before_is_answered_anew() -> None:
    async with serving() as running, client_of(running) as writer:
        fresh_board()
        for number in range(1, 6):
            async with client_of(running) as passer_by:
                assert len(await passer_by.query("notes:on_board", BOARD)) == number - 1
            await writer.mutation("notes:post", {**BOARD, "text": str(number)})
            async with client_of(running) as newcomer, newcomer.subscribe("notes:on_board", BOARD) as notes:
                assert len(notes.value) == number, "the first value of a subscription is of now, too"


class Busy:
    """Looks at no token in time that it is shown for the first time."""

    def __init__(self) -> None:
        self.late = set[str]()

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        if token not in self.late:
            self.late.add(token)
            await asyncio.Event().wait()  # until the hub gives up
        return SignIn(Identity("test", token, token))


@pytest.mark.slow
async def test_a_hub_too_busy_to_look_at_tokens_runs_nothing_as_nobody() -> None:
    busy = Busy()
    async with serving(busy, authenticate_timeout=0.1) as running, contextlib.AsyncExitStack() as stack:
        fresh_board()
        people = [f"person{number}@example.org" for number in range(40)]
        open_clients = [await stack.enter_async_context(client_of(running, token=person)) for person in people]
        calls = [one.mutation("notes:sign", BOARD, timeout=PATIENCE) for one in open_clients]
        asked = [one.query("notes:who_am_i", timeout=PATIENCE) for one in open_clients]
        assert list(await asyncio.gather(*calls)) == people
        assert list(await asyncio.gather(*asked)) == people
        assert busy.late == set(people)


@pytest.mark.slow
async def test_actions_beyond_the_rate_of_a_hub_are_made_later() -> None:
    async with serving(max_messages_per_second=20) as running, client_of(running) as client:
        for _ in range(60):
            assert await client.action("notes:long_text", {"length": 1}) == "x"


async def test_a_hub_below_a_path_is_found_there() -> None:
    hub = Synovia(load_application(APPLICATION), store="sqlite://:memory:")
    site = Starlette(routes=[Mount("/sync-api", app=hub)])
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(site, log_level="critical", lifespan="off"))
        await hub.start()
        serving_site = asyncio.create_task(server.serve([listener]), name="site")
        try:
            address = f"ws://127.0.0.1:{listener.getsockname()[1]}/sync-api"
            async with Client(address, proxy=None) as client:
                fresh_board()
                await client.mutation("notes:post", {**BOARD, "text": "here"})
                assert [note["text"] for note in await client.query("notes:on_board", BOARD)] == ["here"]
        finally:
            server.should_exit = True
            await serving_site
            await hub.stop()
