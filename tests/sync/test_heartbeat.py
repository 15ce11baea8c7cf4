from __future__ import annotations

import time
from typing import Any

import pytest

from helpers.sync_server import Client, client_of, fresh_board, serving, socket_to
from synovia_protocol.client_session import ClientSession
from synovia_protocol.errors import CloseCode
from synovia_protocol.messages import Pong, Welcome


async def test_welcome_says_what_the_server_allows() -> None:
    async with serving(idle_timeout=12.5, max_message_bytes=100_000) as running, client_of(running) as client:
        [welcome] = client.events
        assert isinstance(welcome, Welcome)
        assert (welcome.version, welcome.max_message_bytes, welcome.idle_timeout) == (1, 100_000, 12.5)
        assert abs((welcome.server_time or 0) - time.time() * 1000) < 60_000


async def test_a_ping_is_answered() -> None:
    async with serving() as running, client_of(running) as client:
        await client.send(client.session.ping(77))
        assert await client.until(lambda event: isinstance(event, Pong)) == Pong(77)


async def test_a_silent_client_is_taken_for_gone_and_one_that_pings_is_not() -> None:
    limits: dict[str, Any] = {"idle_timeout": 0.4, "max_messages_per_second": 1_000_000}
    async with serving(**limits) as running, client_of(running) as silent, client_of(running) as alive:
        ended = False
        while not ended:
            await alive.send(alive.session.ping(1))
            await alive.until(lambda event: isinstance(event, Pong))
            ended = len(running.hub) == 1
        fatal, closed_with = await silent.end()
        assert (fatal.error.code, closed_with) == ("timeout", CloseCode.TIMEOUT)
        assert "nothing arrived for 0.4 s" in fatal.error.message
        assert fatal.retry_after == 0.0
        await alive.send(alive.session.ping(2))
        assert await alive.until(lambda event: event == Pong(2)) == Pong(2)


async def test_a_client_that_never_says_who_it_is_is_closed() -> None:
    async with serving(connect_timeout=0.2) as running, socket_to(running.url) as socket:
        client = Client(socket, ClientSession(bytes(16)))
        client.session.connect()
        fatal, closed_with = await client.end()
    assert (fatal.error.code, closed_with) == ("timeout", CloseCode.TIMEOUT)
    assert "no Connect" in fatal.error.message


@pytest.mark.parametrize("working", ["notes:post_when_open", "notes:wait"])
async def test_a_client_that_waits_for_a_long_request_is_alive_as_long_as_it_pings(working: str) -> None:
    async with serving(idle_timeout=0.3, max_messages_per_second=1_000_000) as running, client_of(running) as client:
        notes = fresh_board()
        if working == "notes:wait":
            request_id = await client.act(working)
        else:
            request_id, frame = client.mutation(working, {"board": "a", "text": "x"})
            await client.send(frame)
        clock = client.socket.loop.time
        begun = clock()
        while clock() - begun < 0.6:
            await client.send(client.session.ping(1))
            await client.until(lambda event: isinstance(event, Pong))
        notes.gate.set()
        assert (await client.response(request_id)).error is None
