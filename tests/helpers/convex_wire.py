"""A Convex client that speaks the bare protocol, and insists on its rules."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from helpers.patience import PATIENCE

KIT = Path(__file__).parents[1] / "apps" / "convex_kit"
ZERO = {"querySet": 0, "ts": "AAAAAAAAAAA=", "identity": 0}


def ts_of(text: str) -> int:
    return int.from_bytes(base64.b64decode(text), "little")


def ts_text(ts: int) -> str:
    return base64.b64encode(ts.to_bytes(8, "little")).decode()


def add(query_id: int, path: str, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "Add", "queryId": query_id, "udfPath": path, "args": [args or {}], **more}


def remove(query_id: int) -> dict[str, Any]:
    return {"type": "Remove", "queryId": query_id}


class ConvexWire:
    """One WebSocket; ``next`` checks that each transition goes on where the last one ended.

    Attributes:
        version: What the last transition led to.
        results: The newest result of each query: its value, or the message that says it failed.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.version: dict[str, Any] = ZERO
        self.results: dict[int, Any] = {}
        self.session = str(uuid.uuid4())
        self._query_set = 0
        self._identity = 0
        self._requests = 0

    async def send(self, *messages: dict[str, Any] | str) -> None:
        for message in messages:
            await self._socket.send(message if isinstance(message, str) else json.dumps(message))

    async def connect(self, **more: Any) -> None:
        self.session = more.get("sessionId", self.session)
        await self.send(
            {
                "type": "Connect",
                "sessionId": self.session,
                "connectionCount": 0,
                "lastCloseReason": "InitialConnect",
                "clientTs": 1,
                **more,
            }
        )

    async def modify(self, *modifications: dict[str, Any]) -> None:
        base, self._query_set = self._query_set, self._query_set + 1
        await self.send(
            {
                "type": "ModifyQuerySet",
                "baseVersion": base,
                "newVersion": self._query_set,
                "modifications": list(modifications),
            }
        )

    async def authenticate(self, token: str | None) -> None:
        kind = {"tokenType": "None"} if token is None else {"tokenType": "User", "value": token}
        base, self._identity = self._identity, self._identity + 1
        await self.send({"type": "Authenticate", "baseVersion": base, **kind})

    async def call(
        self, kind: str, path: str, args: dict[str, Any] | None = None, request_id: int | None = None
    ) -> int:
        number = self._requests if request_id is None else request_id
        self._requests = max(self._requests, number + 1)
        await self.send({"type": kind, "requestId": number, "udfPath": path, "args": [args or {}]})
        return number

    async def mutate(self, path: str, args: dict[str, Any] | None = None, request_id: int | None = None) -> Any:
        """Run a mutation, and give its response once the transition that belongs to it has come."""
        await self.call("Mutation", path, args, request_id)
        response = await self.until("MutationResponse")
        least = ts_of(response["ts"]) if response["success"] else 0
        while ts_of((await self.until("Transition"))["endVersion"]["ts"]) < least:
            pass
        return response

    async def next_of_any_kind(self) -> dict[str, Any]:
        """Receive a message, also a Ping."""
        async with asyncio.timeout(PATIENCE):
            return await self._receive()

    def play_dead(self) -> None:
        """Answer nothing any more, not even pings of the WebSocket."""
        self._socket.protocol.send_frame = lambda frame: None  # type: ignore[method-assign]

    async def next(self) -> dict[str, Any]:
        """Receive a message; whole transitions in place of their pieces, and no pings."""
        async with asyncio.timeout(PATIENCE):
            while (message := await self._receive())["type"] == "Ping":
                pass
        if message["type"] == "Transition":
            self._check(message)
        return message

    async def _receive(self) -> dict[str, Any]:
        frame = await self._socket.recv()
        assert isinstance(frame, str), "frames are text"
        message: dict[str, Any] = json.loads(frame)
        if message["type"] != "TransitionChunk":
            return message
        parts, assert_same = [message["chunk"]], (message["transitionId"], message["totalParts"])
        for number in range(1, message["totalParts"]):
            part = json.loads(await self._socket.recv())
            assert (part["transitionId"], part["totalParts"], part["partNumber"]) == (*assert_same, number)
            parts.append(part["chunk"])
        whole: dict[str, Any] = json.loads("".join(parts))
        return whole

    def _check(self, transition: dict[str, Any]) -> None:
        assert transition["startVersion"] == self.version
        start, self.version = self.version, transition["endVersion"]
        assert ts_of(start["ts"]) <= ts_of(self.version["ts"])
        assert type(transition["serverTs"]) is int
        assert transition["clientClockSkew"] is None or type(transition["clientClockSkew"]) is int
        for each in transition["modifications"]:
            if each["type"] == "QueryRemoved":
                self.results.pop(each["queryId"])
                continue
            assert isinstance(each["logLines"], list)
            assert "journal" in each
            self.results[each["queryId"]] = each["value"] if each["type"] == "QueryUpdated" else each

    async def until(self, kind: str) -> dict[str, Any]:
        """Receive until there is a message of a type."""
        while (message := await self.next())["type"] != kind:
            pass
        return message

    async def reach(self, **version: int) -> dict[str, Any]:
        """Receive until a transition has come to these versions."""
        while any(self.version[name] < number for name, number in version.items()):
            last = await self.until("Transition")
        return last

    async def follow(self, *modifications: dict[str, Any]) -> dict[str, Any]:
        """Change the query set, and receive until that has been answered."""
        await self.modify(*modifications)
        return await self.reach(querySet=self._query_set)

    async def ended(self) -> ConnectionClosed:
        """Wait for the end of the connection."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self._socket.recv()
        except ConnectionClosed as closed:
            return closed


@asynccontextmanager
async def convex_wire(
    port: int, path: str = "/api/1.48.0/sync", headers: dict[str, str] | None = None, **more: Any
) -> AsyncIterator[ConvexWire]:
    """Connect, and say Connect with ``more`` in it."""
    url = f"ws://127.0.0.1:{port}{path}"
    async with connect(url, additional_headers=headers, max_size=None, max_queue=None, compression=None) as socket:
        wire = ConvexWire(socket)
        await wire.connect(**more)
        yield wire
