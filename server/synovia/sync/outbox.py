"""What waits to be sent to one client, within a bound: messages first, samples only when no message waits."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Samples:
    """One array frame, and the request it answers."""

    request_id: int
    frame: bytes


class Outbox:
    """Two lanes to one socket.

    The message lane counts its bytes, so that whoever fills it can see when it is too much. The lane of samples holds a
    single frame; those who fetch arrays take turns in filling it, so that what is held does not depend on how much was
    asked for. Transitions do not wait here: they are made when the socket can take them.

    Attributes:
        ready: Wakes the writer.
    """

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self._messages: deque[bytes] = deque()
        self._bytes = 0
        self._samples: Samples | None = None
        self._turn = asyncio.Lock()
        self._taken = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, neither a message nor samples."""
        return not self._messages and self._samples is None

    @property
    def waiting_bytes(self) -> int:
        """The bytes in the message lane."""
        return self._bytes

    def put(self, frame: bytes) -> None:
        """Add a message."""
        self._messages.append(frame)
        self._bytes += len(frame)

    async def put_samples(self, request_id: int, frame: bytes) -> None:
        """Add an array frame when it is this request's turn; return when the socket has taken it."""
        async with self._turn:
            self._samples = Samples(request_id, frame)
            self._taken.clear()
            self.ready.set()
            try:
                await self._taken.wait()
            finally:
                self._samples = None

    def take_message(self) -> bytes | None:
        """Take the message that has waited longest."""
        if not self._messages:
            return None
        frame = self._messages.popleft()
        self._bytes -= len(frame)
        return frame

    def take_samples(self) -> bytes | None:
        """Take the array frame, if one waits."""
        if self._samples is None:
            return None
        frame, self._samples = self._samples.frame, None
        self._taken.set()
        return frame

    def clear(self) -> None:
        """Forget everything that waits."""
        self._messages.clear()
        self._bytes = 0
        self._samples = None
        self._taken.set()
