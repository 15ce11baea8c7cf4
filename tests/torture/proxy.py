"""A TCP proxy between one client and the hubs: it can cut a connection inside a frame, stall it, and lead it elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Self


class Direction(Enum):
    """Which way bytes flow."""

    UP = "to the hub"
    DOWN = "to the client"


class _Cut(Exception):
    """The connection is to be cut here."""


class Proxy:
    """Listens on a port of its own and leads each connection to one of the hubs.

    Args:
        choose: Gives the ports to try, in order, for each new connection.

    Attributes:
        connections: How many were made.
        cuts: How many were cut inside a frame.
    """

    def __init__(self, choose: Callable[[], Sequence[int]]) -> None:
        self._choose = choose
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._cutting: Direction | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._server is not None
        self._server.close()
        self.resume()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self, direction: Direction) -> None:
        """Let half of what comes next that way through, then reset the connection on both sides."""
        self._cutting = direction

    def stall(self) -> None:
        """Let nothing through until ``resume``; the sockets stay open and their buffers fill."""
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy is being stopped
        finally:
            self._serving.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        upstream = await self._connect()
        if upstream is None:
            return
        self.connections += 1
        pumps = [
            asyncio.create_task(self._pump(reader, upstream[1], Direction.UP)),
            asyncio.create_task(self._pump(upstream[0], writer, Direction.DOWN)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            upstream[1].transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._choose():
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        with contextlib.suppress(OSError, _Cut):
            while data := await reader.read(65536):
                await self._flowing.wait()
                if self._cutting is direction:
                    writer.write(data[: len(data) // 2])
                    self._cutting = None
                    self.cuts += 1
                    raise _Cut
                writer.write(data)
                await writer.drain()
