"""The socket of a Convex client: text frames, and an end that it comes back from unless it must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from synovia.convex.messages import PING, fatal_error
from synovia.limits.settings import HubLimits
from synovia.sync.frame_socket import Ending, FrameSocket
from synovia.sync.output import Flusher
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

PING_SECONDS = 15.0
"""Of silence, after which a client is sent a message: browsers do not tell their pages of pings of the WebSocket."""
PROBE_SECONDS = 5.0
SILENT_SECONDS = 120.0
"""So long a client may send nothing at all, not even answers to pings of the WebSocket."""
_REASONS: Mapping[str, str] = {
    ErrorCode.SERVER_ERROR: "InternalServerError",
    ErrorCode.OVERLOADED: "TooManyConcurrentRequests",
    ErrorCode.RATE_LIMITED: "TooManyConcurrentRequests",
    ErrorCode.LIMIT_EXCEEDED: "TooManyConcurrentRequests",
    ErrorCode.STOPPING: "ServerStopping",
}
"""How clients know from the reason of a close how long to wait."""


@dataclass(frozen=True, slots=True)
class Fatal(Ending):
    """An end after which the client must not come back, since it would do the same again."""


def fatal(text: str) -> Fatal:
    """End a connection for good."""
    return Fatal(ErrorInfo(ErrorCode.BAD_MESSAGE, text), CloseCode.PROTOCOL_ERROR)


class ConvexSocket(FrameSocket):
    """A socket that says a Ping where nothing else has been said for a while."""

    def __init__(
        self, name: str, limits: HubLimits, flusher: Flusher, scope: Scope, receive: Receive, send: Send
    ) -> None:
        super().__init__(name, limits, flusher, scope, receive, send, text=True)
        self._said_at = self._probed_at = self._clock()
        self._heard_at: float | None = None

    def said_something(self) -> None:
        """Put off the next Ping."""
        self._said_at = self._clock()

    def put(self, frame: bytes, *, also_waiting: int = 0) -> None:
        """Send a message that is made already; see ``has_room``."""
        self.said_something()
        super().put(frame, also_waiting=also_waiting)

    def watch(self, now: float, *, connected: bool) -> None:
        """Look at every deadline, and keep the connection alive."""
        super().watch(now, connected=connected)
        if self.ending is not None:
            return
        if now - self._said_at > PING_SECONDS:
            self.put(PING)
        if now - self._probed_at > PROBE_SECONDS:
            self._probed_at = now
            self._heard_at = self._output.probe()

    def is_silent(self, now: float, seconds: float) -> bool:
        return self._heard_at is not None and now - self._heard_at > SILENT_SECONDS

    def _goodbye(self, ending: Ending) -> bytes | None:
        return fatal_error(ending.error.message) if isinstance(ending, Fatal) else None

    def _close_reason(self, ending: Ending) -> str:
        return _REASONS.get(ending.error.code, ending.error.code)
