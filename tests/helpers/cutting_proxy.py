"""A proxy in front of a hub that cuts lines while they bring something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class CuttingProxy:
    """Hands bytes on in both directions.

    Attributes:
        cuts: Of each connection that brings so many bytes to the hub, the first of these is taken away, and it is cut there.
        done: How many connections were cut.
    """

    target: int
    cuts: list[int] = field(default_factory=list)
    done: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there, to_hub = await asyncio.open_connection("127.0.0.1", self.target)
        back = asyncio.create_task(_hand_on(there, writer))
        brought = 0
        try:
            while data := await reader.read(65_536):
                brought += len(data)
                to_hub.write(data)
                await to_hub.drain()
                if self.cuts and brought >= self.cuts[0]:
                    self.cuts.pop(0)
                    self.done += 1
                    break
        except ConnectionError:
            pass
        finally:
            back.cancel()
            writer.transport.abort()
            to_hub.transport.abort()


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


@asynccontextmanager
async def cutting_proxy(target: int, *cuts: int) -> AsyncIterator[CuttingProxy]:
    """Run a proxy in front of a port until the block ends."""
    proxy = CuttingProxy(target, [*cuts])
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
