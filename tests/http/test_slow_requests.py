"""Connections that take their time (slowloris), and such as are only opened: each is ended, and nobody else is held up."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from helpers.patience import PATIENCE
from helpers.raw_requests import HANDSHAKE, answer, ask, head, line, until_closed
from helpers.sync_server import Client, client_of, serving, socket_to
from helpers.waiting import until
from synovia_protocol.client_session import ClientSession
from synovia_protocol.messages import SUBPROTOCOL

FLOODER = "127.0.0.2"
Drip = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def still_works(client: Client) -> None:
    """Check that a client is served: what it writes, and what it is shown."""
    response = await client.mutate("notes:post", {"board": "a", "text": "still here"})
    assert response.error is None
    assert (await client.subscribe(response.request_id, "notes:on_board", {"board": "a"}))[-1]["text"] == "still here"


async def nothing(writer: asyncio.StreamWriter) -> None:
    """Open a connection and leave it at that."""


async def dripped_head(writer: asyncio.StreamWriter) -> None:
    """Send a header, and another one, and another one."""
    writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\n")
    while not writer.transport.is_closing():
        writer.write(b"x-more: 1\r\n")
        await asyncio.sleep(0.02)


async def half_a_handshake(writer: asyncio.StreamWriter) -> None:
    """Ask for a WebSocket and never finish asking."""
    writer.write(head("GET", "/sync", {"host": "x", **HANDSHAKE})[:-2])


async def dripped_body(writer: asyncio.StreamWriter) -> None:
    """Promise a body and send it byte by byte."""
    writer.write(
        head("POST", "/auth/email", {"content-type": "application/json", "content-length": "4000", "host": "localhost"})
    )
    while not writer.transport.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("drip", [nothing, dripped_head, half_a_handshake, dripped_body])
async def test_a_request_that_does_not_come_is_not_waited_for(drip: Drip) -> None:
    async with (
        serving(development=True, request_timeout=0.3) as running,
        client_of(running) as healthy,
        line(running, source=FLOODER) as (reader, writer),
    ):
        dripping = asyncio.create_task(drip(writer))
        said = await until_closed(reader)
        dripping.cancel()
        assert b" 408 " in said or drip is dripped_body
        await still_works(healthy)


async def test_the_first_who_comes_is_looked_at_though_nobody_was_there_to_look_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where nobody is inside, the next look at deadlines is far away."""
    monkeypatch.setattr("synovia.cli.server._IDLE_SECONDS", 3_600)
    async with serving(request_timeout=0.3) as running:
        for _ in range(2):
            async with line(running) as (reader, _):
                assert b" 408 " in await until_closed(reader)


async def test_connections_that_are_no_websockets_are_counted_for_each_address() -> None:
    places = serving(max_requests_per_address=2, max_connections_per_address=3)  # each may still become a WebSocket
    async with places as running, client_of(running) as healthy:
        writers = [await asyncio.open_connection("127.0.0.1", running.port, local_addr=(FLOODER, 0)) for _ in range(5)]
        await until(lambda: running.hub.addresses.of(FLOODER).visitors == 5)
        async with line(running, source=FLOODER) as (reader, _):
            assert (await answer(reader)).status == 429
        await still_works(healthy)
        for _, writer in writers:
            writer.transport.abort()
        await until(lambda: running.hub.addresses.of(FLOODER).visitors == 0)
        assert (await ask(running, source=FLOODER)).status == 200


async def test_a_head_without_end_is_refused_before_it_fills_the_memory() -> None:
    async with serving() as running, client_of(running) as healthy, line(running, source=FLOODER) as (reader, writer):
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 100_000)
        assert (await answer(reader)).status == 431
        await still_works(healthy)


@pytest.mark.parametrize(
    ("begins", "status"),
    [(b"GARBAGE\r\n\r\n", b"400"), (head("GET", "/health", {"host": "x", "x": "a" * 40_000}), b"431")],
)
async def test_a_refusal_reaches_who_goes_on_sending(begins: bytes, status: bytes) -> None:
    async with serving() as running:
        assert status in await asyncio.to_thread(sent_on, running.port, begins)


async def test_a_refusal_at_the_door_reaches_who_has_begun_to_send() -> None:
    async with (
        serving(max_requests_per_address=1, max_connections_per_address=1) as running,
        line(running, source=FLOODER),
        line(running, source=FLOODER),
    ):
        await until(lambda: running.hub.addresses.of(FLOODER).visitors == 2)
        assert b"429" in await asyncio.to_thread(sent_on, running.port, b"")


def sent_on(port: int, begins: bytes) -> bytes:
    """Send, and go on with that when there is an answer; give what is read afterwards."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(FLOODER, 0)) as wire:
        wire.sendall(begins)
        select.select([wire], [], [], PATIENCE)
        for _ in range(3):
            wire.sendall(b"x" * 1_000)
        wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(4096), b""))


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    async with serving(stall_timeout=0.3) as running, client_of(running) as healthy:
        async with line(running, source=FLOODER) as (_, writer):
            for _ in range(3_000):
                writer.write(head("GET", "/health", {"host": "x"}))
            address = running.hub.addresses.of(FLOODER)
            await until(lambda: address.visitors == 1)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await still_works(healthy)
        await until(lambda: address.visitors == 0)


async def test_a_frame_that_dribbles_in_does_not_keep_a_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "synovia.http.protocol._LET_GO_SECONDS", 0.2
    )  # the rest of the frame swallows the closing handshake
    async with serving(idle_timeout=0.4) as running, client_of(running, local_addr=(FLOODER, 0)) as client:
        writer = client.socket.transport
        writer.write(bytes([0x82, 0xFE, 0x10, 0x00, 0, 0, 0, 0]))  # 4,096 bytes are to follow, masked with zeros
        dribbling = asyncio.create_task(dribble(client))
        fatal, closed_with = await client.end()
        assert (fatal.error.code, closed_with) == ("timeout", 4408)
        dribbling.cancel()


async def dribble(client: Client) -> None:
    """Send a byte of a frame from time to time."""
    while True:
        client.socket.transport.write(b"x")
        await asyncio.sleep(0.02)


async def test_a_socket_without_connect_is_closed_whatever_else_it_sends() -> None:
    async with serving(connect_timeout=0.3) as running:
        async with socket_to(running.url, subprotocols=[SUBPROTOCOL]) as socket:
            client = Client(socket, ClientSession(bytes(16)))
            client.session.connect()
            fatal, closed_with = await client.end()
        assert (fatal.error.code, closed_with) == ("timeout", 4408)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(bytes([0x89, 0x80, 0, 0, 0, 0]) * 5_000, id="pings"),
        pytest.param(bytes([0x8A, 0x80, 0, 0, 0, 0]) * 5_000, id="pongs"),
        pytest.param(bytes([0x02, 0x80, 0, 0, 0, 0]) + bytes([0x00, 0x80, 0, 0, 0, 0]) * 5_000, id="fragments"),
    ],
)
async def test_floods_below_the_messages_end_the_connection(frames: bytes) -> None:
    async with serving() as running, client_of(running) as healthy:
        async with client_of(running, local_addr=(FLOODER, 0)) as client:
            client.socket.transport.write(frames)
            assert await client.closed() == 1008
        await still_works(healthy)
