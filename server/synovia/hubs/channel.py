"""A connection between two hubs: frames, each of which proves that it is the next one of somebody who knows the secret.

Whoever connects sends 16 random bytes, whoever listens answers with 16 others, and from these, the secret, the name of the
hub that is meant and the fingerprint of the application both derive a key for each direction. The first frame of each side
is a greeting, so neither takes anything from somebody who has not proved to know all of that. Frames are not encrypted.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
import struct
from typing import Final

HANDSHAKE_SECONDS: Final = 2.0
MOST_BYTES: Final = 16 * 1024 * 1024
_MOST_GREETING: Final = 64
_GREETING: Final = b"synovia hub 1"
_NONCE_BYTES: Final = 16
_PROOF_BYTES: Final = 16
_HEAD: Final = struct.Struct(">I")
_NUMBER: Final = struct.Struct(">Q")


class NotAPeer(Exception):
    """The other side is no hub with the same secret and application, or somebody has meddled with what it says."""


class Channel:
    """A connection whose both sides know each other."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sending: bytes, receiving: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._sending, self._receiving = sending, receiving
        self._sent = self._received = 0
        self._unsent: list[bytes] = []

    def send(self, payload: bytes) -> None:
        """Send a frame, together with all others of this turn of the loop."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent += [_HEAD.pack(len(payload)), _proof(self._sending, self._sent, payload), payload]
        self._sent += 1

    async def receive(self, most: int = MOST_BYTES) -> bytes:
        """Give the next frame.

        Raises:
            NotAPeer: It is not what the other side has sent, or too large.
            OSError, EOFError: The connection has ended.
        """
        size = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))[0]
        if size > most:
            raise NotAPeer(f"a frame of {size} bytes is too large")
        proof = await self._reader.readexactly(_PROOF_BYTES)
        payload = await self._reader.readexactly(size)
        if not hmac.compare_digest(proof, _proof(self._receiving, self._received, payload)):
            raise NotAPeer("a frame does not prove that its sender knows the secret, and runs the same application")
        self._received += 1
        return payload

    async def drain(self) -> None:
        """Wait until the other side has taken nearly all that was sent.

        Raises:
            OSError: The connection has ended.
        """
        await self._writer.drain()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """End the connection, and wait until it is gone."""
        self.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not self._writer.transport.is_closing():
            self._writer.write(b"".join(unsent))


def _proof(key: bytes, number: int, payload: bytes) -> bytes:
    return hashlib.blake2b(_NUMBER.pack(number) + payload, key=key, digest_size=_PROOF_BYTES).digest()


def _keys(secret: bytes, context: bytes, nonces: bytes) -> tuple[bytes, bytes]:
    """Derive the keys of who connects and of who listens."""
    common = hmac.digest(secret, context + nonces, "sha256")
    return hmac.digest(common, b"connects", "sha256"), hmac.digest(common, b"listens", "sha256")


async def connected(host: str, port: int, secret: bytes, context: bytes) -> Channel:
    """Connect to a hub.

    Args:
        context: What both have to mean: the name of that hub, and the fingerprint of the application.

    Raises:
        NotAPeer: It is another one, or has another secret or application.
        OSError, EOFError, TimeoutError: It cannot be reached.
    """
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            writer.write(nonce)
            theirs = await reader.readexactly(_NONCE_BYTES)
            connects, listens = _keys(secret, context, nonce + theirs)
            channel = Channel(reader, writer, connects, listens)
            channel.send(_GREETING)
            await _greeted(channel)
        except BaseException:
            writer.transport.abort()
            raise
        return channel


async def accepted(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes, context: bytes
) -> Channel:
    """Let a hub in that has connected; see ``connected``."""
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        theirs = await reader.readexactly(_NONCE_BYTES)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        writer.write(nonce)
        connects, listens = _keys(secret, context, theirs + nonce)
        channel = Channel(reader, writer, listens, connects)
        await _greeted(channel)
        channel.send(_GREETING)
        return channel


async def _greeted(channel: Channel) -> None:
    if await channel.receive(_MOST_GREETING) != _GREETING:
        raise NotAPeer("it greets in another way")
