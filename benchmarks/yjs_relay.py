"""The peer of shared documents: pycrdt on a bare WebSocket, which passes updates on as y-websocket does, and keeps nothing.

It asks nobody whether they may, stores nothing and merges nothing: what is left is what Yjs and a socket cost.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvloop
from pycrdt import Doc, YMessageType, YSyncMessageType, create_sync_message, create_update_message, handle_sync_message
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.bare import serving
from benchmarks.hub import HOST
from benchmarks.processes import Child, Handlers, Pipe, answer_all, child, cpu_seconds


class RelayProcess:
    """A relay; ``port`` is where it listens, a document for each path."""

    def __init__(self, process: Child, port: int) -> None:
        self._process = process
        self.port = port

    async def cpu(self) -> float:
        """Tell the CPU seconds it has used."""
        return float(await self._process.ask("cpu"))


@asynccontextmanager
async def yjs_relay() -> AsyncIterator[RelayProcess]:
    """Run the relay."""
    async with child("relay of pycrdt", _main) as process:
        yield RelayProcess(process, int(await process.ask("port")))


def _main(pipe: Pipe) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe))


class _Room:
    def __init__(self) -> None:
        self.doc = Doc[Any]()
        self.sockets: set[WebSocket] = set()

    async def take(self, message: bytes, sender: WebSocket) -> None:
        answer = handle_sync_message(message[1:], self.doc)
        if answer is not None:
            await sender.send_bytes(answer)
        if message[1] == YSyncMessageType.SYNC_UPDATE:
            await asyncio.gather(*(each.send_bytes(message) for each in self.sockets if each is not sender))


class _Server:
    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = defaultdict(_Room)
        self.app = Starlette(routes=[WebSocketRoute("/{name}", self.talk)])

    async def talk(self, socket: WebSocket) -> None:
        room = self._rooms[socket.path_params["name"]]
        await socket.accept()
        room.sockets.add(socket)
        with suppress(WebSocketDisconnect):
            await socket.send_bytes(create_sync_message(room.doc))
            while True:
                await room.take(await socket.receive_bytes(), socket)
        room.sockets.discard(socket)


async def _serve(pipe: Pipe) -> None:
    async with serving(_Server().app) as port:
        await answer_all(pipe, _handlers(port))


def _handlers(port: int) -> Handlers:
    async def where() -> int:
        return port

    return {"port": where, "cpu": cpu_seconds}


class RelayEditor:
    """Keeps a document the same as the relay's, as y-websocket's provider does, while somebody is inside ``async with``."""

    def __init__(self, port: int, name: str) -> None:
        self.doc = Doc[Any]()
        self._connecting = connect(f"ws://{HOST}:{port}/{name}", compression=None, max_size=None, proxy=None)
        self._socket: ClientConnection | None = None
        self._applying = False
        self._unsent: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._synced = asyncio.Event()

    async def __aenter__(self) -> RelayEditor:
        self._socket = await self._connecting
        self._observed = self.doc.observe(self._note)
        self._tasks = [asyncio.create_task(each(self._socket)) for each in (self._read, self._write)]
        await self._socket.send(create_sync_message(self.doc))
        await self._synced.wait()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.doc.unobserve(self._observed)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    def _note(self, event: Any) -> None:
        if not self._applying:
            self._unsent.put_nowait(create_update_message(bytes(event.update)))

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            await socket.send(await self._unsent.get())

    async def _read(self, socket: ClientConnection) -> None:
        async for message in socket:
            assert isinstance(message, bytes)
            assert message[0] == YMessageType.SYNC
            self._applying = True
            answer = handle_sync_message(message[1:], self.doc)
            self._applying = False
            if answer is not None:
                await socket.send(answer)
            if message[1] == YSyncMessageType.SYNC_STEP2:
                self._synced.set()
