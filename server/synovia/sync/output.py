"""Where frames go: straight to the transport if the server offers that, else through ASGI."""

from __future__ import annotations

import asyncio
from typing import Protocol

from starlette.types import Scope, Send

from synovia.charges import clock

EXTENSION = "synovia.output"
"""The ASGI extension under which a server offers an ``Output``."""


DEAR_SECONDS = 0.0001
"""To bring a client up to date that takes longer is charged to its address; most take a tenth of that."""


class Output(Protocol):
    """The sending half of a WebSocket.

    Attributes:
        text: Whether the frames are text; they are binary at first.
    """

    text: bool

    @property
    def is_writable(self) -> bool:
        """Whether a frame would be on its way at once, or at least not wait behind much."""
        ...

    def write(self, frame: bytes) -> None:
        """Send a frame; it waits in memory if the socket does not take it."""
        ...

    async def drain(self) -> None:
        """Wait until it is writable again; OSError if the peer has gone."""
        ...

    def buffered(self) -> int:
        """Tell how many bytes wait for the peer, as far as is known."""
        ...

    def cut(self, frame: bytes | None, code: int, reason: str) -> None:
        """Add a last frame, if any, and the close frame to what waits, and let go of the connection soon, sent or not."""
        ...

    def computed(self) -> float:
        """Tell how many seconds it has taken to take in what has come since this was asked last, as far as is known."""
        ...

    def probe(self) -> float | None:
        """Ask the peer for a sign of life, and tell when the last one came, by the loop's time; None: that is not known."""
        ...


class AsgiOutput:
    """For any ASGI server: writable again once ``send`` has taken what was written."""

    def __init__(self, send: Send) -> None:
        self.text = False
        self._send = send
        self._pending: list[bytes] = []

    @property
    def is_writable(self) -> bool:
        return not self._pending

    def write(self, frame: bytes) -> None:
        self._pending.append(frame)

    async def drain(self) -> None:
        while self._pending:
            frame = self._pending[0]
            content = {"text": frame.decode()} if self.text else {"bytes": frame}
            await self._send({"type": "websocket.send", **content})
            del self._pending[0]

    def buffered(self) -> int:
        return sum(map(len, self._pending))

    def cut(self, frame: bytes | None, code: int, reason: str) -> None:
        """ASGI has no way to do it; the server closes the connection when the application returns."""
        self._pending.clear()

    def computed(self) -> float:
        """Only the server knows it."""
        return 0.0

    def probe(self) -> float | None:
        """ASGI has no pings; servers send their own."""
        return None


def output_of(scope: Scope, send: Send, *, text: bool = False) -> Output:
    """Find the best way to send that the server offers."""
    offered: Output | None = scope.get("extensions", {}).get(EXTENSION)
    output = AsgiOutput(send) if offered is None else offered
    output.text = text
    return output


class Sent:
    """What has been sent to all clients of a hub.

    Attributes:
        frames: Transitions, answers and arrays.
        bytes: Of these.
    """

    __slots__ = ("bytes", "frames")

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0


class Flushed(Protocol):
    """Somebody who has something to send."""

    def flush(self) -> None:
        """Send it; this must not raise."""
        ...

    def took(self, seconds: float) -> None:
        """Hear that this was dear: it has taken so long."""
        ...


class Flusher:
    """Flushes everybody who has something to send, once, when the event loop comes round.

    A tick of the engine moves many connections; each is told of it several times, and sends once, without a task switch.

    Args:
        slice_seconds: After this time the rest waits for the next round, so that nobody else is kept waiting for long.

    Attributes:
        sent: What all of them have sent.
        due: Who is to be flushed when the loop comes round: as long as there is somebody, others may be added here.
    """

    def __init__(self, slice_seconds: float = 0.005) -> None:
        self.sent = Sent()
        self._slice = slice_seconds
        self.due: list[Flushed] = []
        self._handle: asyncio.Handle | None = None

    def add(self, one: Flushed) -> None:
        """Have somebody flushed soon; they must not be added again before."""
        self.due.append(one)
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._handle = None
        due, self.due = self.due, []
        now = clock()
        end = now + self._slice
        for number, one in enumerate(due, 1):
            one.flush()
            began, now = now, clock()
            if now - began > DEAR_SECONDS:
                one.took(now - began)
            if now > end:
                self.due[:0] = due[number:]
                break
        if self.due and self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._flush)
