"""Heads of requests that are larger than they may be, or that frame a body in two ways."""

from __future__ import annotations

import asyncio

import pytest

from helpers.patience import PATIENCE
from helpers.raw_requests import answer, head, line, until_closed
from helpers.sync_server import Running, serving

KIB = 1024
CHUNKED = b"7\r\n" + b'{"pat":' + b"\r\n0\r\n\r\n"
NEXT = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"


def padded(size: int, *, spaces: bool = False) -> bytes:
    """Write a head of so many bytes."""
    start = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-padding:"
    return start + (b" " if spaces else b"x") * (size - len(start) - 4) + b"\r\n\r\n"


async def answered(running: Running, *pieces: bytes) -> tuple[int, bytes]:
    """Send bytes, wait for one answer; give its status, and what else comes until the server closes the connection."""
    async with line(running) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        found = await answer(reader)
        return found.status, await until_closed(reader)


async def test_a_head_of_32_kib_is_taken_and_the_connection_goes_on() -> None:
    async with serving() as running, line(running) as (reader, writer):
        for _ in range(2):
            writer.write(padded(32 * KIB))
            assert (await answer(reader)).status == 200


@pytest.mark.parametrize("size", [32 * KIB + 1, 60 * KIB, 200 * KIB])
@pytest.mark.parametrize("spaces", [False, True])
async def test_a_larger_one_is_refused_also_if_it_comes_at_once(size: int, spaces: bool) -> None:
    async with serving() as running:
        assert await answered(running, padded(size, spaces=spaces)) == (431, b"")


async def test_a_larger_one_is_refused_behind_another_request() -> None:
    async with serving() as running, line(running) as (reader, writer):
        writer.write(NEXT + padded(60 * KIB))
        assert (await answer(reader)).status == 200
        assert (await answer(reader)).status == 431
        assert await until_closed(reader) == b""


async def test_a_request_that_is_framed_twice_is_the_last_of_its_connection() -> None:
    async with serving() as running, line(running) as (reader, writer):
        headers = {"host": "localhost", "content-type": "application/json"}
        framed = head("POST", "/api/query", {**headers, "content-length": "4", "transfer-encoding": "chunked"})
        writer.write(framed + CHUNKED + NEXT)
        refused = await answer(reader)
        assert refused.status == 400
        assert b"bad_json" in refused.body, "it is read by its chunks"
        assert refused.headers["connection"] == "close"
        assert await until_closed(reader) == b"", "what follows is not looked at"


async def test_one_that_is_framed_once_is_not() -> None:
    async with serving() as running, line(running) as (reader, writer):
        headers = {"host": "localhost", "content-type": "application/json", "transfer-encoding": "chunked"}
        writer.write(head("POST", "/api/query", headers) + CHUNKED)
        assert (await answer(reader)).status == 400
        writer.write(NEXT)
        async with asyncio.timeout(PATIENCE):
            assert (await answer(reader)).status == 200
