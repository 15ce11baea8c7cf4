"""One hostile connection: all frames are written at once, and what comes back is read to the end.

What the hub has to do is known beforehand: the protocol's own session, without any socket, is shown the same frames. It
tells which frame breaks the protocol, if any does, and the code that the connection is then closed with.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from helpers.patience import PATIENCE
from synovia.auth.development import PREFIX, parse_identity
from synovia.identity import InvalidToken
from synovia_protocol.arrays import ArrayReceived, ChunkReceived, chunk_digest
from synovia_protocol.errors import CloseCode, ProtocolError
from synovia_protocol.messages import SUBPROTOCOL, Authenticate, Mutation
from synovia_protocol.server_session import ServerSession
from torture.fuzz.frames import Frames

BINARY, TEXT, CLOSE = 2, 1, 8
_MOST = 30
_KEY = base64.b64encode(bytes(16)).decode()
HANDSHAKE = (
    "GET /sync HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
).encode()


class NoAnswer(Exception):
    """The hub neither closed the connection nor answered our closing it."""


@dataclass(slots=True)
class Attack:
    """What is sent on one connection.

    Attributes:
        frames: The frames, at most one of which breaks the protocol: the last one.
        expected: The code with which the hub has to close; None where it may do as it likes (raw bytes).
    """

    data: bytes
    frames: int
    expected: int | None = None
    told: list[bytes] = field(default_factory=list)
    handshake: bytes = HANDSHAKE


def websocket_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """Give a client's WebSocket frame; its mask is zero, so the payload stands as it is."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, 0x80 | size]) + bytes(4) + payload
    if size < 1 << 16:
        return bytes([0x80 | opcode, 0x80 | 126]) + struct.pack(">H", size) + bytes(4) + payload
    return bytes([0x80 | opcode, 0x80 | 127]) + struct.pack(">Q", size) + bytes(4) + payload


def make_attack(seed: int) -> Attack:
    """Draw what is sent on one connection."""
    frames = Frames(seed)
    chance = frames.random.random()
    if chance < 0.02:
        return Attack(frames.random.randbytes(200), 1)
    if chance < 0.03:
        return Attack(frames.damaged(HANDSHAKE), 1, handshake=b"")
    judge = _Judge()
    first = frames.connect() if chance < 0.97 else frames.frame()
    told = [first]
    expected = judge.code_after(first)
    while expected is None and len(told) < _MOST:
        told.append(frames.frame())
        expected = judge.code_after(told[-1])
    goodbye = b"" if expected else websocket_frame(struct.pack(">H", 1000), CLOSE)
    data = b"".join(map(websocket_frame, told)) + goodbye
    return Attack(data, len(told), expected or int(CloseCode.NORMAL), told)


class _Judge:
    """Tells with which code the hub has to close a connection, by the protocol's own session and docs/protocol.md."""

    def __init__(self) -> None:
        self._session = ServerSession()
        self._signed_out = False
        self._chunks = defaultdict[bytes, list[bytes]](list)  # the digests of those that have come of each array

    def code_after(self, frame: bytes) -> int | None:
        """Give the code if this frame ends the connection: it breaks the protocol, or may not be answered as nobody."""
        try:
            return self._code_of(self._session.receive(frame))
        except ProtocolError as error:
            return int(error.close_code)

    def _code_of(self, events: Iterable[object]) -> int | None:
        for event in events:
            if isinstance(event, ChunkReceived):
                self._chunks[event.array_digest].append(chunk_digest(event.data))
            elif isinstance(event, ArrayReceived):
                event.check(self._chunks.pop(event.digest, ()))
            elif isinstance(event, Authenticate):
                self._signed_out = event.token is not None and not _is_taken(event.token)
            elif isinstance(event, Mutation) and event.retry and self._signed_out:
                return int(CloseCode.UNAUTHENTICATED)
        return None


def _is_taken(token: str) -> bool:
    """Tell whether the hub under test believes a token: it signs in by name."""
    try:
        parse_identity(token.removeprefix(PREFIX))
    except InvalidToken:
        return False
    return token.startswith(PREFIX)


async def carry_out(attack: Attack, port: int) -> int | None:
    """Make the connection; give the code of the hub's closing frame, None if it sent none.

    Raises:
        NoAnswer: The hub leaves the connection hanging.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(OSError):
                if attack.handshake:
                    writer.write(attack.handshake)
                    await reader.readuntil(b"\r\n\r\n")
                writer.write(attack.data)
                if attack.expected is None:
                    writer.write_eof()
                return await _closing_code(reader)
    except TimeoutError:
        raise NoAnswer(f"nothing happened for {PATIENCE:g} s") from None
    finally:
        writer.transport.abort()
    return None


async def _closing_code(reader: asyncio.StreamReader) -> int | None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            payload = await reader.readexactly(size)
            if first == 0x80 | CLOSE:
                return int.from_bytes(payload[:2], "big")
    return None


def random_seed() -> int:
    return int.from_bytes(os.urandom(4), "big")
