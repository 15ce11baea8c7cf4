"""A real HTTP server on this machine that hands out keys, counts who asks, and can be slow, wrong or gone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any


class KeyServer:
    """Answers GET with what is in ``documents``.

    Attributes:
        documents: What there is, by path.
        asked: How often each path was asked for.
        open: While it is not set, nobody gets an answer.
        max_age: What ``Cache-Control`` says, in seconds; None: nothing.
        trickle: Whether an answer's bytes come one by one and never all of them.
    """

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.raw: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = asyncio.Event()
        self.max_age: int | None = None
        self.trickle = False
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen; on the same port as before if it was stopped."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            self.asked[path] += 1
            self.waiting.set()
            await self.open.wait()
            writer.write(self._response(path))
            await writer.drain()
            if self.trickle:
                await reader.read()  # until the other side has had enough
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if self.trickle else writer.close()

    def _response(self, path: str) -> bytes:
        if path in self.raw:
            return self.raw[path]
        if path not in self.documents:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        body = json.dumps(self.documents[path]).encode()
        control = f"Cache-Control: public, max-age={self.max_age}\r\n" if self.max_age is not None else ""
        head = f"HTTP/1.1 200 OK\r\n{control}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + (body[:-1] if self.trickle else body)
