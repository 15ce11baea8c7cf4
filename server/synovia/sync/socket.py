"""The socket of a client that speaks Synovia's own protocol: what may be sent is in the protocol's session."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from synovia.limits.settings import HubLimits
from synovia.sync.frame_socket import Ending, FrameSocket
from synovia.sync.output import Flusher
from synovia_protocol.messages import ArrayFrame, FatalError, ServerMessage
from synovia_protocol.sessions import ServerSession
from synovia_protocol.values import Limits

__all__ = ["Ending", "Socket"]


class Socket(FrameSocket):
    """A socket with the protocol's state.

    Attributes:
        session: Through which everything is received and sent.
    """

    def __init__(
        self, name: str, limits: HubLimits, flusher: Flusher, scope: Scope, receive: Receive, send: Send
    ) -> None:
        super().__init__(name, limits, flusher, scope, receive, send)
        self.session = ServerSession(Limits(max_message_bytes=limits.max_message_bytes))

    def send(self, message: ServerMessage) -> None:
        """Send a message as soon as the client takes it; nothing once the session is over."""
        if not self.session.is_over:
            self.put(self.session.send(message))

    async def send_samples(self, frame: ArrayFrame) -> None:
        """Send a part of an array; return when the socket has taken it."""
        if not self.session.is_over:
            await self.outbox.put_samples(self.session.send_array_frame(frame))

    @property
    def _is_over(self) -> bool:
        return self.session.is_over

    def _goodbye(self, ending: Ending) -> bytes | None:
        if self.session.is_closed:
            return None
        return self.session.send(FatalError(ending.error, ending.retry_after))
