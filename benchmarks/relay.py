"""A relay between clients and a hub, which counts their bytes and can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

from benchmarks.hub import HOST


class Relay:
    """Passes bytes on.

    Attributes:
        port: Where it listens.
        received: Bytes from the hub.
        sent: Bytes to the hub.
    """

    def __init__(self, port: int) -> None:
        self._behind = port
        self._open: set[asyncio.StreamWriter] = set()
        self._whole = asyncio.Event()
        self._whole.set()
        self.port = 0
        self.received = 0
        self.sent = 0

    @classmethod
    @asynccontextmanager
    async def running(cls, port: int) -> AsyncIterator[Self]:
        """Run one in front of a port of this machine."""
        relay = cls(port)
        server = await asyncio.start_server(relay._accept, HOST, 0)
        relay.port = server.sockets[0].getsockname()[1]
        yield relay
        server.close()
        relay.cut()

    def cut(self) -> None:
        """End all connections; new ones wait until it is mended."""
        self._whole.clear()
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Pass bytes on again."""
        self._whole.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        back, forth = await asyncio.open_connection(HOST, self._behind)
        self._open |= {writer, forth}
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, forth, outwards=True), self._pass(back, writer, outwards=False))
        self._open -= {writer, forth}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outwards: bool) -> None:
        while data := await reader.read(1 << 16):
            if outwards:
                self.sent += len(data)
            else:
                self.received += len(data)
            writer.write(data)
            await writer.drain()
        writer.close()
