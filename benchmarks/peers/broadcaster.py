"""A peer: a change stream that is broadcast, on FastAPI, in a process of its own.

It sends the changed document as JSON to everybody who follows its room; an update's event is looked up for that. A client
has all documents of its room when it comes. Whoever comes back reads them again; nothing is told of what was missed, two
clients need not see one instant, and a write is no transaction.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvloop
from bson import ObjectId
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

from benchmarks.bare import serving
from benchmarks.processes import Child, Pipe, answer_all, child, cpu_seconds

_DURABLE = WriteConcern("majority", j=True)


@asynccontextmanager
async def broadcaster(uri: str, database: str) -> AsyncIterator[Child]:
    """Run it; ask it for ``port`` and ``cpu``."""
    async with child("broadcaster", _main, uri, database) as process:
        yield process


def _main(pipe: Pipe, uri: str, database: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe, uri, database))


async def _serve(pipe: Pipe, uri: str, database: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        sensors = client[database].get_collection("sensors", write_concern=_DURABLE)
        built = _Broadcaster(sensors)
        following = asyncio.create_task(built.follow(), name="change stream")
        try:
            async with serving(built.app) as port:

                async def where() -> int:
                    return port

                await answer_all(pipe, {"port": where, "cpu": cpu_seconds})
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


class _Broadcaster:
    def __init__(self, sensors: Any) -> None:
        self._sensors = sensors
        self._rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)
        self.app = FastAPI()
        self.app.add_api_websocket_route("/rooms/{room}", self.room)

    async def room(self, socket: WebSocket, room: str) -> None:
        """Show a room, and take writes: ``{"id", "level"}``, each answered when it is durable."""
        await socket.accept()
        self._rooms[room].add(socket)
        try:
            found = await self._sensors.find({"room": room}).to_list()
            await socket.send_text(json.dumps([_shown(each) for each in found]))
            while True:
                write = await socket.receive_json()
                await self._sensors.update_one({"_id": ObjectId(write["id"])}, {"$set": {"level": write["level"]}})
                await socket.send_text('{"ok":true}')
        except WebSocketDisconnect:
            pass
        finally:
            self._rooms[room].discard(socket)

    async def follow(self) -> None:
        """Tell everybody in the room of each changed document."""
        async with await self._sensors.watch(full_document="updateLookup", max_await_time_ms=1000) as stream:
            async for event in stream:
                document = event["fullDocument"]
                text = json.dumps({"type": event["operationType"], "document": _shown(document)})
                for socket in list(self._rooms[document["room"]]):
                    with suppress(WebSocketDisconnect, RuntimeError):
                        await socket.send_text(text)


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "_id": str(document["_id"])}
