"""The peer of fan-out and arrays: a bare Starlette application on the hub's uvicorn settings, in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.hub import HOST
from benchmarks.processes import Child, Handlers, Pipe, answer_all, child, cpu_seconds
from synovia.cli.server import listen
from synovia.limits.settings import HubLimits

DONE = b"done"


class BareProcess:
    """A server whose clients are sent bytes.

    Attributes:
        port: Where it listens: ``/feed`` is pushed to, ``/download`` and ``/upload`` carry ``ROUND`` bytes at a time.
    """

    def __init__(self, process: Child, port: int) -> None:
        self._process = process
        self.port = port

    async def cpu(self) -> float:
        """Tell the CPU seconds it has used."""
        return float(await self._process.ask("cpu"))

    async def push(self, frame: bytes, seconds: float, rate: float | None = None) -> None:
        """Begin to send a frame to everybody at ``/feed``, ``rate`` times a second; None: again and again."""
        await self._process.ask("push", frame, seconds, rate)

    async def pushed(self) -> None:
        """Wait until that has ended."""
        await self._process.ask("pushed")


@asynccontextmanager
async def bare() -> AsyncIterator[BareProcess]:
    """Run the bare server."""
    async with child("bare server", _main) as process:
        yield BareProcess(process, int(await process.ask("port")))


def _main(pipe: Pipe) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe))


class _Server:
    def __init__(self) -> None:
        self._sockets: list[WebSocket] = []
        self._pushing: asyncio.Task[None] | None = None
        routes = [WebSocketRoute(f"/{end.__name__}", end) for end in (self.feed, self.download, self.upload)]
        self.app = Starlette(routes=routes)

    async def feed(self, socket: WebSocket) -> None:
        await socket.accept()
        self._sockets.append(socket)
        with suppress(WebSocketDisconnect):
            await socket.receive_bytes()
        self._sockets.remove(socket)

    async def download(self, socket: WebSocket) -> None:
        """Send as many bytes as are asked for, in frames of a given size: two integers as text."""
        await socket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                total, size = map(int, (await socket.receive_text()).split())
                data = memoryview(bytes(total))
                for start in range(0, total, size):
                    await socket.send_bytes(bytes(data[start : start + size]))

    async def upload(self, socket: WebSocket) -> None:
        """Take as many bytes as are announced as text, then say that they are there."""
        await socket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                missing = int(await socket.receive_text())
                while missing > 0:
                    missing -= len(await socket.receive_bytes())
                await socket.send_bytes(DONE)

    async def push(self, frame: bytes, seconds: float, rate: float | None) -> None:
        self._pushing = asyncio.create_task(self._push(frame, seconds, rate), name="pushing")

    async def pushed(self) -> None:
        if self._pushing is not None:
            await self._pushing

    async def _push(self, frame: bytes, seconds: float, rate: float | None) -> None:
        start = time.perf_counter()
        pause = 0.0 if rate is None else 1 / rate
        for number in itertools.count(1):
            for socket in self._sockets:
                await socket.send_bytes(frame)
            if time.perf_counter() >= start + seconds:
                return
            await asyncio.sleep(max(0.0, start + number * pause - time.perf_counter()))


async def _serve(pipe: Pipe) -> None:
    built = _Server()
    async with serving(built.app) as port:
        await answer_all(pipe, _handlers(built, port))


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[int]:
    """Serve an application on the hub's uvicorn settings; give the port."""
    with listen(HOST, 0) as listener:
        server = uvicorn.Server(_config(app))
        task = asyncio.create_task(server.serve([listener]), name="server")
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=HubLimits().max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        ws_ping_timeout=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )


def _handlers(server: _Server, port: int) -> Handlers:
    async def where() -> int:
        return port

    return {"port": where, "cpu": cpu_seconds, "push": server.push, "pushed": server.pushed}
