"""Servers that do not let the client in: what it takes for lasting, and what is tried again."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from client.manual_clock import ManualClock
from client.options import TIMEOUTS, MakeClient
from client.peer import Peer, eventually
from synovia_client import Client, ConnectionFailed
from synovia_protocol import messages as m

LONG = 0.999


@pytest.mark.parametrize("status", [HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN])
async def test_a_wrong_address_ends_it(make: MakeClient, peer: Peer, status: HTTPStatus) -> None:
    peer.refuse = status
    async with make() as client:
        with pytest.raises(ConnectionFailed, match=str(status.value)) as caught:
            await client.connected()
        assert caught.value.code == "unreachable"
    assert peer.handshakes == 1


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS])
async def test_a_passing_refusal_is_tried_again(make: MakeClient, peer: Peer, status: HTTPStatus) -> None:
    peer.refuse = status
    async with make() as client:
        await eventually(lambda: peer.handshakes > 2)
        assert str(status.value) in (client.trouble or "")
        peer.refuse = None
        await peer.welcome()
        await client.connected()


async def test_who_was_connected_once_takes_no_refusal_for_lasting(client: Client, peer: Peer) -> None:
    first = await peer.welcome()
    await client.connected()
    peer.refuse = HTTPStatus.NOT_FOUND
    first.cut()
    await eventually(lambda: peer.handshakes > 2)
    peer.refuse = None
    await peer.welcome()
    await client.connected()


async def test_a_server_without_the_subprotocol_is_not_ours(make: MakeClient, clock: ManualClock) -> None:
    async with Peer(subprotocols=()) as other, Client(other.url, clock=clock, proxy=None) as client:
        with pytest.raises(ConnectionFailed, match=r"synovia\.v1"):
            await client.connected()


async def test_no_answer_to_the_handshake(clock: ManualClock) -> None:
    writers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: writers.put_nowait(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    options: dict[str, Any] = {"clock": clock, "timeouts": TIMEOUTS, "proxy": None, "random": lambda: LONG}
    async with Client(f"ws://127.0.0.1:{port}", **options) as client:
        writer = await writers.get()
        clock.advance(11)
        await eventually(lambda: "did not answer within 11 s" in (client.trouble or ""))
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_no_welcome(client: Client, peer: Peer, clock: ManualClock) -> None:
    first = await peer.accept()
    await first.expect(m.Connect)
    await clock.awaited(12)
    clock.advance(12)
    assert await first.closed() == 1006
    assert "no welcome" in (client.trouble or "")
    await peer.welcome()
    await client.connected()
