"""A peer: a bare broker on ``websockets``, in a process of its own. It hands on what it is given, and keeps nothing."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.hub import HOST
from benchmarks.processes import Child, Pipe, answer_all, child, cpu_seconds


@asynccontextmanager
async def broker() -> AsyncIterator[Child]:
    """Run it; ask it for ``port`` and ``cpu``."""
    async with child("broker", _main) as process:
        yield process


def _main(pipe: Pipe) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe))


async def _serve(pipe: Pipe) -> None:
    rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)

    async def room(connection: ServerConnection) -> None:
        assert connection.request is not None
        name = connection.request.path.removeprefix("/rooms/")
        rooms[name].add(connection)
        try:
            async for message in connection:
                broadcast(rooms[json.loads(message)["room"]], message)
        except ConnectionClosed:
            pass
        finally:
            rooms[name].discard(connection)

    async with serve(room, HOST, 0, compression=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]

        async def where() -> int:
            return int(port)

        with suppress(asyncio.CancelledError):
            await answer_all(pipe, {"port": where, "cpu": cpu_seconds})
