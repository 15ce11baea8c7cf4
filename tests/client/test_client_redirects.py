"""Whoever redirects to what is no address has answered: no error of Python's own comes out of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from client.manual_clock import ManualClock
from client.peer import eventually
from helpers.patience import PATIENCE
from synovia_client import Client
from synovia_client.http_requests import HttpRequests

ADDRESSES = ["http://[::1", "http://a]b/", "ws://[", "http://x:port/", "mailto:a@b", "//", ""]


@pytest.fixture(params=ADDRESSES)
async def redirecting(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {request.param}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_request_has_the_redirect_as_its_answer(redirecting: str) -> None:
    http = HttpRequests(PATIENCE, proxy=None)
    assert (await http.get(f"http://{redirecting}/")).status == 302
    assert (await http.post_json(f"http://{redirecting}/", {})).status == 302


async def test_a_client_tries_again(redirecting: str, clock: ManualClock) -> None:
    async with Client(f"ws://{redirecting}", clock=clock, proxy=None, random=lambda: 0.5) as client:
        await eventually(lambda: client.trouble is not None)
        assert f"ws://{redirecting}/sync " in str(client.trouble)
