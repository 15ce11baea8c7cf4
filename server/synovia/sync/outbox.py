"""What waits to be sent to one client, within a bound: messages first, samples only when no message waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from synovia.sync.signal import Signal


class Outbox:
    """Two lanes to one socket.

    The message lane counts its bytes, so that whoever fills it can see when it is too much. The lane of samples holds a
    single frame; those who fetch arrays take turns in filling it, so that what is held does not depend on how much was
    asked for. Transitions do not wait here: they are made when the socket can take them.

    Attributes:
        ready: Wakes the writer.
        waiting_bytes: The bytes in the message lane.
        messages: The message lane; a deque only while something waits, as an empty one takes 760 bytes.
        samples: The array frame that waits, if one does.
    """

    def __init__(self) -> None:
        self.ready = Signal()
        self.messages: Sequence[bytes] = ()
        self.waiting_bytes = 0
        self.samples: bytes | None = None
        self._turn = asyncio.Lock()
        self._taken: asyncio.Event | None = None  # of the frame that waits

    def put(self, frame: bytes) -> None:
        """Add a message."""
        if not isinstance(self.messages, deque):
            self.messages = deque()
        self.messages.append(frame)
        self.waiting_bytes += len(frame)

    async def put_samples(self, frame: bytes) -> None:
        """Add an array frame when it is one's turn; return when the socket has taken it."""
        async with self._turn:
            self.samples = frame
            self._taken = asyncio.Event()
            self.ready.set()
            try:
                await self._taken.wait()
            finally:
                self.samples = self._taken = None

    def take_message(self) -> bytes:
        """Take the message that has waited longest; IndexError if none waits."""
        if not isinstance(self.messages, deque):
            raise IndexError("no message waits")
        frame: bytes = self.messages.popleft()
        self.waiting_bytes -= len(frame)
        self.messages = self.messages or ()
        return frame

    def take_samples(self) -> bytes:
        """Take the array frame; there must be one."""
        assert self.samples is not None, "asked before"  # noqa: S101
        frame, self.samples = self.samples, None
        self._samples_are_taken()
        return frame

    def clear(self) -> None:
        """Forget everything that waits."""
        self.messages = ()
        self.waiting_bytes = 0
        self.samples = None
        self._samples_are_taken()

    def _samples_are_taken(self) -> None:
        if self._taken is not None:
            self._taken.set()
