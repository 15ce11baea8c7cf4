"""Raw requests, as browsers, proxies and worse send them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from helpers.patience import PATIENCE
from helpers.sync_server import Running
from synovia_protocol.messages import SUBPROTOCOL

HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": SUBPROTOCOL,
}


class Answer(NamedTuple):
    """What came back; ``headers`` with names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def line(
    running: Running, *, source: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection from an address of this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, local_addr=(source, 0), ssl=tls)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    """Write a request's head."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


async def answer(reader: asyncio.StreamReader) -> Answer:
    """Read the head of an answer, and its body as far as Content-Length tells of one."""
    async with asyncio.timeout(PATIENCE):
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(first.split()[1]), headers, body)


async def ask(
    running: Running, method: str = "GET", path: str = "/health", *, source: str = "127.0.0.1", **headers: str
) -> Answer:
    """Send one request; underscores in names of headers are hyphens."""
    async with line(running, source=source) as (reader, writer):
        sent = {"host": f"127.0.0.1:{running.port}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        writer.write(head(method, path, sent))
        return await answer(reader)


async def request_upgrade(running: Running, *, source: str = "127.0.0.1", **headers: str) -> Answer:
    """Ask for a WebSocket; 101 means that one would be let in."""
    return await ask(running, path="/sync", source=source, **HANDSHAKE, **headers)


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """Wait until the server has ended the connection; give what it said before."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
