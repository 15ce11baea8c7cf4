"""Somebody who floods a hub, from a process of its own, at the lowest priority: in earnest it has a machine of its own.

Each flood comes from a new address, which has used up nothing yet.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import uvloop

from benchmarks.attack_frames import attack
from benchmarks.crowd import SYNC, hello
from benchmarks.processes import Child, Handlers, Pipe, answer_all, child
from benchmarks.wire import client_frame, handshake
from synovia_protocol.arrays import encode_frame
from synovia_protocol.codec import encode
from synovia_protocol.errors import ErrorCode
from synovia_protocol.messages import (
    SUBPROTOCOL,
    Action,
    ArrayFrame,
    Authenticate,
    ModifyQuerySet,
    Mutation,
    Ping,
    PresenceJoin,
    PresenceState,
    QueryAdd,
)

_ADDRESSES = (f"127.0.{n // 250 + 1}.{n % 250 + 1}" for n in itertools.count())
_CONNECTIONS = 8
_PAUSE = 0.05
_CODES = (
    *ErrorCode,
    "search_too_long",
    "too_much_text",
    "invalid_update",
    "shared_doc_too_large",
    "mutation_too_large",
)
_REFUSALS = re.compile(rb"HTTP/1\.1 [45]\d\d|\b(?:%s)\b" % "|".join(_CODES).encode())
Frames = Iterator[bytes]
Kind = tuple[Callable[[], Frames], int, bool, float]
"""What is sent, by how many connections, whether they are WebSockets, and the pause between two pieces in seconds."""


def _pings() -> Frames:
    yield from itertools.repeat(client_frame(encode(Ping(1))) * 100)


def _actions() -> Frames:
    for first in itertools.count(1, 100):
        yield b"".join(client_frame(encode(Action(first + n, "sensors:nothing", {}))) for n in range(100))


def _mutations() -> Frames:
    for first in itertools.count(1, 100):
        yield b"".join(
            client_frame(encode(Mutation(first + n, "sensors:add", {"room": "flood", "rank": n}))) for n in range(100)
        )


def _large() -> Frames:
    junk = os.urandom(900_000)
    for number in itertools.count(1):
        yield client_frame(encode(Mutation(number, "sensors:add", {"junk": junk})))


def _queries() -> Frames:
    numbers = range(1, 501)
    removed = client_frame(encode(ModifyQuerySet((), tuple(numbers))))
    for turn in itertools.count():
        added = tuple(QueryAdd(number, "sensors:in_room", {"room": f"{turn} {number}"}) for number in numbers)
        yield client_frame(encode(ModifyQuerySet(added))) + removed


def _scans() -> Frames:
    """Give live queries that each read a large room, all different."""
    numbers = range(1, 101)
    removed = client_frame(encode(ModifyQuerySet((), tuple(numbers))))
    for turn in itertools.count():
        asked = ((number, {"room": "large", "number": 1000 * turn + number}) for number in numbers)
        added = tuple(QueryAdd(number, "sensors:total_level", args) for number, args in asked)
        yield client_frame(encode(ModifyQuerySet(added)))
        yield b""
        yield removed


def _one_shot_scans() -> Frames:
    body = json.dumps({"path": "sensors:total_level", "args": {"room": "large"}}).encode()
    head = (
        f"POST /api/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    yield from itertools.repeat(head.encode() + body)


def _big_mutations() -> Frames:
    for number in itertools.count(1):
        yield client_frame(encode(Mutation(number, "sensors:set_all_levels", {"room": "large", "level": number})))


def _presence() -> Frames:
    """Move in rooms, all of which the others of the flood are in, too."""
    rooms = range(1, 9)
    yield b"".join(client_frame(encode(PresenceJoin(n, "sensors:here", {"room": f"{n}"}, 0))) for n in rooms)
    for turn in itertools.count():
        yield b"".join(client_frame(encode(PresenceState(n, turn))) for n in rooms) * 12


def _tokens() -> Frames:
    for number in itertools.count():
        yield client_frame(encode(Authenticate(f"dev:{number}@example.org"))) * 20


def _uploads() -> Frames:
    """Give arrays of which the last quarter never comes."""
    length = 1 << 17
    for turn in itertools.count():
        digest, chunk = os.urandom(32), memoryview(np.full(length // 4, turn, dtype="float64").tobytes())
        for position in range(0, length - length // 4, length // 4):
            yield client_frame(encode_frame(ArrayFrame(0, "float64", digest, position, length, chunk)))


def _websocket_pings() -> Frames:
    yield from itertools.repeat(bytes([0x89, 0x80, 0, 0, 0, 0]) * 100)


def _requests() -> Frames:
    yield from itertools.repeat(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")


def _nothing() -> Frames:
    yield b""


def _dribble() -> Frames:
    yield b"GET /health HTTP/1.1\r\nhost: x\r\n"
    yield from itertools.repeat(b"x: 1\r\n")


KINDS: dict[str, Kind] = {
    "pings": (_pings, _CONNECTIONS, True, 0.002),
    "actions": (_actions, _CONNECTIONS, True, 0.002),
    "mutations": (_mutations, _CONNECTIONS, True, 0.002),
    "large messages": (_large, _CONNECTIONS, True, 0.002),
    "subscriptions": (_queries, _CONNECTIONS, True, 0.002),
    "presence": (_presence, _CONNECTIONS, True, 0.002),
    "tokens": (_tokens, _CONNECTIONS, True, 0.002),
    "array uploads": (_uploads, _CONNECTIONS, True, 0.002),
    "pings of the WebSocket": (_websocket_pings, _CONNECTIONS, True, 0.002),
    "HTTP requests": (_requests, 32, False, 0.002),
    "handshakes": (_nothing, 16, True, 0.02),
    "slow requests": (_dribble, 200, False, 0.1),
}


WORK: dict[str, Kind] = {
    # of work that takes long, on the room "large"
    "live scans": (_scans, _CONNECTIONS, True, 0.5),
    "one-shot scans": (_one_shot_scans, 32, False, 0.002),
    "big mutations": (_big_mutations, _CONNECTIONS, True, 0.1),
}


class Flooder:
    """Sends floods until told to stop."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._sent = 0
        self._ended = 0
        self._address = ""
        self._token = ""
        self._told: Counter[str] = Counter()

    async def start(self, kind: str, port: int) -> None:
        """Begin."""
        self._begin((KINDS | WORK)[kind], port, "")

    async def attack(self, kind: str, port: int, token: str, paper: str) -> None:
        """Begin an attack, as whoever the token is for; ``paper`` is where shared documents are written."""
        self._begin(attack(kind, paper), port, token)

    def _begin(self, kind: Kind, port: int, token: str) -> None:
        frames, connections, websocket, pause = kind
        self._token = token
        self._told = Counter()
        self._sent = self._ended = 0
        self._address = next(_ADDRESSES)
        self._tasks = [asyncio.create_task(self._keep_on(frames(), port, websocket, pause)) for _ in range(connections)]

    async def stop(self) -> tuple[int, int]:
        """Stop; give the bytes that were taken, and how often a connection was refused or ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self._sent, self._ended

    async def told(self) -> str:
        """Tell which refusals and errors came last time, and how often, the most frequent first."""
        return ", ".join(f"{count} {code}" for code, count in self._told.most_common(4)) or "nothing refused"

    async def _keep_on(self, frames: Frames, port: int, websocket: bool, pause: float) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._flood(frames, port, websocket, pause)
            self._ended += 1
            await asyncio.sleep(_PAUSE)

    async def _flood(self, frames: Frames, port: int, websocket: bool, pause: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(self._address, 0))
        if websocket:
            writer.write(handshake(port, SYNC, SUBPROTOCOL))
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 101 " not in answer:
                self._hear(answer)
                writer.transport.abort()
                return
            writer.write(hello())
            if self._token:
                writer.write(client_frame(encode(Authenticate(self._token))))
        taking = asyncio.create_task(self._take(reader))
        try:
            for piece in frames:
                writer.write(piece)
                await writer.drain()
                self._sent += len(piece)
                await asyncio.sleep(pause)
                if taking.done():
                    return
        finally:
            taking.cancel()
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(1 << 16):
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        self._told.update(found.decode() for found in _REFUSALS.findall(data))


@asynccontextmanager
async def flooder() -> AsyncIterator[Child]:
    """Run one; it answers ``start(kind, port)`` and ``stop()``."""
    async with child("flooder", _main) as process:
        yield process


def _main(pipe: Pipe) -> None:
    os.nice(19)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(pipe))


async def _serve(pipe: Pipe) -> None:
    flooding = Flooder()
    handlers: Handlers = {
        "start": flooding.start, "attack": flooding.attack, "stop": flooding.stop, "told": flooding.told,
    }  # fmt: skip
    await answer_all(pipe, handlers)
