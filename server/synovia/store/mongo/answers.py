"""What a server answers to commands that were sent in one go, read off a connection in as few steps as it comes in.

The driver reads the head of each answer and then its body, wakes whoever waits for each, and stops and starts reading in
between: for a commit ten reads and three turns of the event loop, where two reads and one turn are enough.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from pymongo.errors import ProtocolError

_HEAD: Final = struct.Struct("<iiii")
_ROOM: Final = 64 * 1024

Answer = tuple[bytes, int]
"""The body of an answer, and of which kind it is."""


class Answers(asyncio.BufferedProtocol):
    """Takes the place of the driver's protocol at a connection, as long as that is kept.

    Args:
        theirs: The driver's protocol.
        most: Bytes of one answer; a longer one ends the connection.

    Attributes:
        is_closing: Tells whether the connection is closed, or about to be.
    """

    def __init__(self, theirs: Any, most: int) -> None:
        self._theirs = theirs
        self._transport = theirs.transport
        self.is_closing: Callable[[], bool] = self._transport.is_closing
        self._most = most
        self._buffer = memoryview(bytearray(_ROOM))
        self._filled = 0
        self._came: list[Answer] = []
        self._numbers: Sequence[int] = ()
        self._waiter: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Read from now on."""
        self._transport.set_protocol(self)
        self._transport.resume_reading()

    def end(self) -> None:
        """Let the driver read again."""
        self._transport.set_protocol(self._theirs)

    async def ask(self, messages: bytes, numbers: Sequence[int], seconds: float | None = None) -> list[Answer]:
        """Send messages, and give the answers to them when all are there.

        Args:
            seconds: How long they may take; None: as long as they will.

        Raises:
            OSError: The connection was lost; a TimeoutError if they took too long.
            ProtocolError: What came is no answer to them.
        """
        if self.is_closing():
            raise OSError("the connection is closed")
        loop = asyncio.get_running_loop()
        self._numbers = numbers
        self._waiter = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self._tell, TimeoutError("no answer in time"))
        try:
            self._transport.write(messages)
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        came, self._came = self._came, []
        return came

    # --- what the transport calls -------------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the room behind what has come."""
        return self._buffer[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has come, and wake who waits if all is there."""
        self._filled += nbytes
        try:
            rest = self._cut()
        except ProtocolError as error:
            self._fail(error)
            return
        waiter = self._waiter
        if waiter is None:
            self._fail(ProtocolError("an answer that nobody has asked for"))
        elif len(self._came) == len(self._numbers) and not rest and not waiter.done():
            waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits, and the driver."""
        self._tell(exc or OSError("the connection was closed"))
        self._theirs.connection_lost(exc)

    def _cut(self) -> int:
        """Take the whole answers out of the buffer; give how many bytes are left in it."""
        start, room = 0, len(self._buffer)
        while self._filled - start >= _HEAD.size:
            size, _, number, kind = _HEAD.unpack_from(self._buffer, start)
            if not _HEAD.size < size <= self._most:
                raise ProtocolError(f"an answer of {size} bytes")
            if self._filled - start < size:
                room = max(room, size)
                break
            if self._waiter is None or len(self._came) == len(self._numbers):
                raise ProtocolError("an answer that nobody has asked for")
            if number != self._numbers[len(self._came)]:
                raise ProtocolError(f"an answer to {number}, not to {self._numbers[len(self._came)]}")
            self._came.append((bytes(self._buffer[start + _HEAD.size : start + size]), kind))
            start += size
        rest = self._filled - start
        if rest and (start or room > len(self._buffer)):
            self._make_room(room, start)
        elif not rest and len(self._buffer) > _ROOM:
            self._buffer = memoryview(bytearray(_ROOM))
        self._filled = rest
        return rest

    def _make_room(self, room: int, start: int) -> None:
        """Move what is left to the front, of another buffer: the transport still holds this one."""
        rest = self._buffer[start : self._filled]
        self._buffer = memoryview(bytearray(room))
        self._buffer[: len(rest)] = rest

    def _fail(self, error: Exception) -> None:
        self._tell(error)
        self._theirs.close(error)

    def _tell(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
