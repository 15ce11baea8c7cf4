"""What each message of a client means: one handler a message, in a table."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from synovia.identity import Account, Identity
from synovia.limits.addresses import Address
from synovia.limits.allowance import Allowance, too_much
from synovia.sync.context import HubContext
from synovia.sync.fetches import Fetches
from synovia.sync.peer_state import PeerState
from synovia.sync.presence import ClientPresence
from synovia.sync.query_set import QuerySet
from synovia.sync.requests import Requests
from synovia.sync.sign_in import ClientSignIn
from synovia.sync.socket import Ending, Socket
from synovia.sync.uploads import Uploads
from synovia.transaction.footprint import LARGE_PACKED
from synovia.turns import slices_in_turns
from synovia_protocol import messages as m
from synovia_protocol.arrays import ArrayReceived, ChunkReceived, is_array_frame
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError

MUTATION_WEIGHT = 3
"""A mutation counts as so many messages: to run and commit it takes that much longer than anything else."""
_QUERIES_AT_ONCE = 16
"""So many queries of one message are begun before others have their turn; one, if their arguments are large."""


class Conversation:
    """Answers one client: frames in, frames out through its socket.

    Args:
        address: Where it comes from.
    """

    def __init__(self, context: HubContext, socket: Socket, address: Address) -> None:
        self.socket = socket
        self.query_set = QuerySet(
            context.engine,
            socket.session,
            context.transitions,
            socket.wake,
            account=Account(address, socket.name),
            joining=context.joining,
        )
        self.advance = self.query_set.advance
        self._presence: ClientPresence | None = None
        self._context = context
        self._session = socket.session
        self._address = address
        self._allowance = Allowance(context.limits, address, time.monotonic)
        self._subscriptions = 0
        self._connected_at: float | None = None
        self._sign_in = ClientSignIn(context, socket, self._allowance, self._become)
        self._uploads = Uploads(context.arrays, context.limits, address)
        self._fetches = Fetches(context.engine, context.read_arrays, socket, context.limits.max_fetches)
        self._requests = Requests(context, socket, address, self.query_set, self._uploads, self._sign_in)

    @property
    def connected(self) -> bool:
        """Whether the client has said who it is."""
        return self._connected_at is not None

    @property
    def busy(self) -> bool:
        """Whether a request of the client is running."""
        return self._requests.busy

    @property
    def waiting_mutations(self) -> int:
        """Mutations that wait for their turn."""
        return self._requests.waiting_mutations

    @property
    def fetching(self) -> int:
        """Arrays that are being sent."""
        return len(self._fetches)

    @property
    def state(self) -> PeerState:
        """What is known of the client."""
        held = self.query_set
        return PeerState("synovia", held.identity, len(held), held.ts, self.busy, held.waiting_bytes)

    # --- for the socket

    async def receive(self, frame: bytes | str) -> None:
        """Handle one frame; returns when the next one may be read.

        Raises:
            ProtocolError: The client broke the protocol.
        """
        self._sign_in.check_expiry()
        size, array = len(frame), is_array_frame(frame)
        if array:
            await self._allowance.pace(1, size)
        for event in self._session.receive(frame):
            if array or await self._admit(event, size):
                await _HANDLERS[type(event)](self, event, size)

    async def _admit(self, message: Any, size: int) -> bool:
        """Count a message; what must keep its order waits until it may be handled, the rest is refused if it is too much."""
        if isinstance(message, _IN_ORDER):
            await self._allowance.pace(_weight(message), size)
            return True
        late = self._allowance.take(size)
        if late <= 0:
            return True
        error = too_much(late)
        if self._allowance.abused:
            self.socket.end(Ending(error, CloseCode.TOO_SLOW, retry_after=late))
            return False
        refused = self._refuse(message, error)
        await self._allowance.pause()
        return not refused

    def _refuse(self, message: Any, error: ErrorInfo) -> bool:
        """Answer a call with an error; tell whether the message is one that has an answer."""
        if isinstance(message, m.Action):
            self._requests.refuse_action(message.request_id, error)
        elif isinstance(message, m.FetchArray):
            self.socket.send(m.ArrayResponse(message.request_id, error=error))
        else:
            return False
        return True

    @property
    def loading(self) -> bool:
        """Whether many first results were still to come when ``advance`` looked last."""
        return self.query_set.loading

    @property
    def settled(self) -> bool:
        """Whether no response waits for its transition."""
        return not self.query_set.waiting_bytes

    @property
    def waiting_bytes(self) -> int:
        """The bytes of responses that wait for their transition."""
        return self.query_set.waiting_bytes

    def close(self) -> None:
        """Let go of everything the client held."""
        self.query_set.close()
        if self._presence is not None:
            self._presence.close()
        self._count_subscriptions()
        self._uploads.close()
        self._requests.close()

    # --- for the hub

    def watch(self, now: float) -> None:
        """Look at the deadlines."""
        self.socket.watch(now, connected=self.connected)
        if self._connected_at is not None and now - self._connected_at > self._context.limits.resume_timeout:
            self.query_set.forget_past()
        if self._presence is not None:
            self._presence.watch(lambda seconds: self.socket.is_silent(now, seconds))
            self._count_subscriptions()
        self._sign_in.check_expiry()

    def end_session(self, session: str) -> None:
        """Become anonymous if this session is what the client is signed in by: it has been revoked."""
        self._sign_in.end_session(session)

    # --- the handlers

    async def _on_connect(self, message: m.Connect, size: int) -> None:
        self._connected_at = asyncio.get_running_loop().time()
        self.query_set.begin()
        self.socket.put(self._session.send_welcome(self._context.limits.idle_timeout, round(time.time() * 1000)))

    async def _on_ping(self, message: m.Ping, size: int) -> None:
        self.socket.send(m.Pong(message.nonce))

    async def _on_authenticate(self, message: m.Authenticate, size: int) -> None:
        await self._sign_in.authenticate(message)

    def _become(self, identity: Identity | None) -> None:
        self.query_set.sign_in(identity)
        if self._presence is not None:
            self._presence.sign_in(identity)
        self._count_subscriptions()

    async def _on_modify(self, message: m.ModifyQuerySet, size: int) -> None:
        large = size > LARGE_PACKED * len(message.add)
        self._modify((), message.remove)
        async for some in slices_in_turns(message.add, 1 if large else _QUERIES_AT_ONCE, large=large):
            self._modify(some, ())

    def _modify(self, add: Sequence[m.QueryAdd], remove: Sequence[int]) -> None:
        limits, held = self._context.limits, self.query_set.weight
        left = limits.max_subscriptions_per_address - self._address.subscriptions
        self.query_set.max_subscriptions = min(limits.max_subscriptions, held + left)
        self.query_set.modify(add, remove)
        self._count_subscriptions()

    def _count_subscriptions(self) -> None:
        held = self.query_set.weight + (0 if self._presence is None else len(self._presence))
        self._address.subscriptions += held - self._subscriptions
        self._subscriptions = held

    async def _on_join(self, message: m.PresenceJoin, size: int) -> None:
        if self._address.subscriptions >= self._context.limits.max_subscriptions_per_address:
            text = "this address holds as many subscriptions as it may"
            self.socket.send(m.PresenceEnded(message.room_id, ErrorInfo(ErrorCode.LIMIT_EXCEEDED, text)))
            return
        self._begin_presence().join(message)
        self._count_subscriptions()

    def _begin_presence(self) -> ClientPresence:
        """Most connections are in no room, and have nothing for it."""
        if self._presence is None:
            context, account = self._context, Account(self._address, self.socket.name)
            presence = ClientPresence(
                context.engine,
                context.rooms,
                self._session,
                context.limits,
                account,
                self.socket.wake,
                self.socket.send,
            )
            presence.sign_in(self.query_set.identity)
            self.advance = lambda: [*self.query_set.advance(), *presence.advance()]
            self._presence = presence
        return self._presence

    async def _on_presence(self, message: m.PresenceState, size: int) -> None:
        if self._presence is not None:
            self._presence.show(message)
            self._count_subscriptions()

    async def _on_leave(self, message: m.PresenceLeave, size: int) -> None:
        if self._presence is not None:
            self._presence.leave(message)
            self._count_subscriptions()

    def _on_mutation(self, message: m.Mutation, size: int) -> Awaitable[None]:
        return self._requests.mutate(message, size)

    async def _on_action(self, message: m.Action, size: int) -> None:
        self._requests.act(message, size)

    async def _on_chunk(self, event: ChunkReceived, size: int) -> None:
        if self.query_set.identity is None and not self._allowance.anonymous_samples(len(event.data)):
            text = "more samples from this address than may be uploaded without signing in"
            raise ProtocolError(ErrorCode.LIMIT_EXCEEDED, text, CloseCode.TOO_LARGE)
        await self._uploads.chunk(event)

    async def _on_array(self, event: ArrayReceived, size: int) -> None:
        await self._uploads.complete(event)

    async def _on_fetch(self, message: m.FetchArray, size: int) -> None:
        self._fetches.start(message, lambda: self.query_set.live(message.query_id))

    async def _on_cancel(self, message: m.CancelFetch, size: int) -> None:
        self._fetches.cancel(message.request_id)


_IN_ORDER = (m.Mutation, m.ModifyQuerySet, m.PresenceJoin, m.PresenceState, m.PresenceLeave)
"""What has no answer that could refuse it, or must keep its order: what is too much of it waits."""


def _weight(message: Any) -> int:
    """Tell as how many messages one counts."""
    if isinstance(message, m.Mutation):
        return MUTATION_WEIGHT
    if isinstance(message, m.PresenceJoin):
        return 2  # as one query that is subscribed to
    return 1 + len(message.add) if isinstance(message, m.ModifyQuerySet) else 1


_Handler = Callable[[Conversation, Any, int], Awaitable[None]]
_HANDLERS: dict[type, _Handler] = {
    m.Connect: Conversation._on_connect,
    m.Ping: Conversation._on_ping,
    m.Authenticate: Conversation._on_authenticate,
    m.ModifyQuerySet: Conversation._on_modify,
    m.Mutation: Conversation._on_mutation,
    m.Action: Conversation._on_action,
    m.FetchArray: Conversation._on_fetch,
    m.CancelFetch: Conversation._on_cancel,
    m.PresenceJoin: Conversation._on_join,
    m.PresenceState: Conversation._on_presence,
    m.PresenceLeave: Conversation._on_leave,
    ChunkReceived: Conversation._on_chunk,
    ArrayReceived: Conversation._on_array,
}
