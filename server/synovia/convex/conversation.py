"""What each message of a Convex client means: one handler a message, in a table."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from synovia.convex import messages as m
from synovia.convex.context import ConvexContext
from synovia.convex.query_set import ConvexQuerySet, Step
from synovia.convex.requests import ConvexRequests
from synovia.convex.resends import Resends
from synovia.convex.sign_in import ConvexSignIn
from synovia.convex.socket import ConvexSocket, fatal
from synovia.convex.versions import ClientVersion
from synovia.identity import Account, Identity
from synovia.limits.addresses import Address
from synovia.limits.allowance import Allowance, too_much
from synovia.sync.frame_socket import Ending
from synovia.sync.peer_state import PeerState
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

MUTATION_WEIGHT = 3
"""A mutation counts as so many messages: to run and commit it takes that much longer than anything else."""
MOST_QUERIES = 4_096
CHUNK_CHARACTERS = 5_000_000
"""A transition that is longer is sent in pieces to clients that put them together."""


class ConvexConversation:
    """Answers one Convex client: texts in, texts out through its socket.

    Args:
        client: Which client it is.
        address: Where it comes from.
    """

    def __init__(self, context: ConvexContext, socket: ConvexSocket, client: ClientVersion, address: Address) -> None:
        self.socket = socket
        self._context = context
        self._limits = context.hub.limits
        self._client = client
        self._address = address
        self._allowance = Allowance(self._limits, address, time.monotonic)
        self._connected_at: float | None = None
        self._skew: int | None = None
        self._subscriptions = 0
        self.query_set = ConvexQuerySet(
            context.hub.engine,
            context.functions,
            context.results,
            socket.wake,
            max_queries=MOST_QUERIES,
            account=Account(address, socket.name),
        )
        self._sign_in = ConvexSignIn(
            context.hub, socket, self._allowance, lambda: self.query_set.told.identity, self._become
        )
        self._resends = Resends(socket.wake)
        self._requests = ConvexRequests(context, socket, address, self.query_set, self._resends)

    @property
    def connected(self) -> bool:
        """Whether the client has said who it is."""
        return self._connected_at is not None

    @property
    def busy(self) -> bool:
        """Whether a request of the client is running."""
        return self._requests.busy

    @property
    def state(self) -> PeerState:
        """What is known of the client."""
        held = self.query_set
        return PeerState("convex", held.identity, len(held), None, self.busy, 0)

    # --- for the socket

    async def receive(self, frame: bytes | str) -> None:
        """Handle one frame; returns when the next one may be read."""
        try:
            message = m.parse(frame)
            if not isinstance(message, m.Authenticate):
                self._sign_in.check_expiry()
            if not self.connected and not isinstance(message, m.Connect | m.Event):
                raise m.Malformed("the first message is Connect")
            if isinstance(message, m.Call) and message.kind == "Mutation":
                self._resends.expect(message.request_id)
            if await self._admit(message, len(frame)):
                await _HANDLERS[type(message)](self, message, len(frame))
            self._resends.heard()
        except m.Malformed as error:
            self.socket.end(fatal(str(error)))

    async def _admit(self, message: m.ClientMessage, size: int) -> bool:
        """Count a message; what must keep its order waits until it may be handled, the rest is refused if it is too much."""
        if isinstance(message, m.Call) and size > self._limits.max_message_bytes:
            text = f"a call of {size:,} bytes; {self._limits.max_message_bytes:,} may be"
            self._requests.refuse(message, ErrorInfo(ErrorCode.TOO_LARGE, text))
            return False
        if isinstance(message, m.ModifyQuerySet):
            await self._allowance.pace(1 + len(message.add), size)
            return True
        if isinstance(message, m.Call) and message.kind == "Mutation":
            await self._allowance.pace(MUTATION_WEIGHT, size)
            return True
        late = self._allowance.take(size)
        if late <= 0:
            return True
        if self._allowance.abused:
            self.socket.end(Ending(too_much(late), CloseCode.TOO_SLOW))
            return False
        if isinstance(message, m.Call):
            self._requests.refuse(message, too_much(late))
        await self._allowance.pause()
        return not isinstance(message, m.Call)

    def advance(self) -> list[bytes]:
        """Give the frames that bring the client up to date."""
        if not self.connected or self.socket.ending is not None or self._resends.waiting:
            return []
        step = self.query_set.advance(self._context.hub.engine.head)
        if step is None:
            return []
        if step.end.query_set:
            self._resends.end()
        return self._frames(step)

    def _frames(self, step: Step) -> list[bytes]:
        self.socket.said_something()
        text = m.transition(step.start, step.end, step.modifications, self._skew, time.time_ns())
        if len(text) <= CHUNK_CHARACTERS or not self._client.takes_chunks:
            return [text.encode()]
        return [part.encode() for part in m.chunks(text, CHUNK_CHARACTERS, uuid.uuid4().hex)]

    @property
    def loading(self) -> bool:
        """Whether many first results were still to come when ``advance`` looked last."""
        return self.query_set.loading

    @property
    def settled(self) -> bool:
        """Whether nothing waits for ``advance`` to come further: what is not told now is told by the next connection."""
        return True

    @property
    def waiting_bytes(self) -> int:
        """The bytes of frames that wait for ``advance``: there are none, what is made is in the outbox."""
        return 0

    def close(self) -> None:
        """Let go of everything the client held."""
        self.query_set.close()
        self._count_subscriptions()
        self._requests.close()
        self._resends.end()

    # --- for the hub

    def watch(self, now: float) -> None:
        """Look at the deadlines."""
        self.socket.watch(now, connected=self.connected)
        late = self._connected_at is not None and now - self._connected_at > self._limits.resume_timeout
        if late and self.query_set.is_behind(self._context.hub.engine.head):
            # Not fatal: the client comes back, and is not shown the past meanwhile.
            text = "this server has not yet come to what the client has seen"
            self.socket.end(Ending(ErrorInfo(ErrorCode.OVERLOADED, text), CloseCode.SERVER_ERROR))
        self._sign_in.check_expiry()

    def end_session(self, session: str) -> None:
        """End the connection if this session is what the client is signed in by: it has been revoked."""
        self._sign_in.end_session(session)

    # --- the handlers

    async def _on_connect(self, message: m.Connect, size: int) -> None:
        if self.connected:
            raise m.Malformed("Connect is the first message, and comes once")
        self._connected_at = asyncio.get_running_loop().time()
        if message.client_ts is not None:
            self._skew = message.client_ts - round(time.time() * 1000)
        self.query_set.begin(message.newest_ts or 0)
        self._requests.begin(message)
        if message.connection_count > 0:
            self._resends.begin()

    async def _on_authenticate(self, message: m.Authenticate, size: int) -> None:
        await self._sign_in.authenticate(message)

    def _become(self, identity: Identity | None) -> None:
        self.query_set.sign_in(identity)

    async def _on_modify(self, message: m.ModifyQuerySet, size: int) -> None:
        left = self._limits.max_subscriptions_per_address - self._address.subscriptions
        self.query_set.max_queries = min(MOST_QUERIES, self.query_set.weight + left)
        self.query_set.modify(message)
        self._count_subscriptions()

    def _count_subscriptions(self) -> None:
        self._address.subscriptions += self.query_set.weight - self._subscriptions
        self._subscriptions = self.query_set.weight

    async def _on_call(self, message: m.Call, size: int) -> None:
        if message.kind == "Mutation":
            await self._requests.mutate(message, size)
        else:
            self._requests.act(message)

    async def _on_event(self, message: m.Event, size: int) -> None:
        """Take no notice."""


_Handler = Callable[[ConvexConversation, Any, int], Awaitable[None]]
_HANDLERS: dict[type, _Handler] = {
    m.Connect: ConvexConversation._on_connect,
    m.Authenticate: ConvexConversation._on_authenticate,
    m.ModifyQuerySet: ConvexConversation._on_modify,
    m.Call: ConvexConversation._on_call,
    m.Event: ConvexConversation._on_event,
}
