"""All the connections of one server: taking them on, watching their deadlines, and letting them go."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Receive, Scope, Send

from synovia.health import Level, PartHealth
from synovia.identity import Authenticator
from synovia.limits.addresses import Address, Addresses
from synovia.limits.refusal import LIMIT_CODES, Refusal
from synovia.limits.settings import HubLimits
from synovia.presence.rooms import Rooms
from synovia.store.base import ArrayStore
from synovia.store.cache import CachedArrays
from synovia.sync.backlog import Backlog
from synovia.sync.context import HubContext, Joining
from synovia.sync.conversation import Conversation
from synovia.sync.frame_socket import FrameSocket, Handler
from synovia.sync.output import Flusher, Sent
from synovia.sync.peer_state import PeerState
from synovia.sync.ports import Engine
from synovia.sync.running import RunningRequests
from synovia.sync.socket import Ending, Socket
from synovia.sync.transitions import TransitionCache
from synovia.tasks import end
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo
from synovia_protocol.messages import SUBPROTOCOL

logger = logging.getLogger("synovia.sync")


@dataclass(slots=True)
class Counters:
    """What has happened since the hub was made.

    Attributes:
        limits: How often a limit has refused a connection or a request, or ended a connection, by what it was.
    """

    accepted: int = 0
    refused: int = 0
    closed: int = 0
    limits: Counter[str] = field(default_factory=Counter)


class Peer(Handler, Protocol):
    """What answers one client, as the hub sees it."""

    def watch(self, now: float) -> None:
        """Look at the deadlines."""
        ...

    def end_session(self, session: str) -> None:
        """Forget who the client is if this session says it."""
        ...

    @property
    def state(self) -> PeerState:
        """What is known of it."""
        ...


Open = Callable[[str, Address, Flusher, Scope, Receive, Send], tuple[FrameSocket, Peer]]
"""Makes the socket of a client whose handshake is done, by its name, and what answers it."""


class Hub:
    """The ASGI application behind ``/sync``.

    Args:
        engine: Runs functions and keeps live queries; must be started before the first connection.
        arrays: Where samples are.
        authenticator: Tells who a token is.
        clock: Tells the time of day in seconds since 1970, by which sign-ins expire.
        joining: Has what takes place in a block be part of the trace that a client names.

    Attributes:
        requests: What runs, over HTTP too.
        draining: Nobody new is to be sent here, as it is about to stop; whoever comes all the same is served.
        addresses: What each address uses, over HTTP too.
        backlog: What waits for slow clients.
        rooms: In which clients are present.
    """

    def __init__(
        self,
        engine: Engine,
        arrays: ArrayStore,
        authenticator: Authenticator,
        limits: HubLimits | None = None,
        *,
        clock: Callable[[], float] = time.time,
        transitions: TransitionCache | None = None,
        joining: Joining = nullcontext,
    ) -> None:
        self.authenticator = authenticator
        self.limits = limits or HubLimits()
        self.requests = RunningRequests()
        self.draining = False
        self.counters = Counters()
        self.addresses = Addresses(self.limits, time.monotonic)
        self.rooms = Rooms()
        self.context = HubContext(
            engine,
            arrays,
            CachedArrays(arrays),
            authenticator,
            self.limits,
            clock,
            transitions or TransitionCache(),
            self.requests,
            self.rooms,
            joining,
        )
        self.backlog = Backlog(self.limits)
        self._flusher = Flusher()
        self._conversations: dict[FrameSocket, Peer] = {}
        self._names = itertools.count(1)
        self._watcher: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._conversations)

    @property
    def conversations(self) -> list[Peer]:
        """Everyone who is connected."""
        return list(self._conversations.values())

    @property
    def connections(self) -> list[tuple[FrameSocket, Peer]]:
        """Everyone who is connected, with their sockets."""
        return list(self._conversations.items())

    @property
    def told(self) -> int:
        """How many transitions of live queries clients were told since the hub was made, those of Convex aside."""
        return self.context.transitions.told

    @property
    def sent(self) -> Sent:
        """What has been sent to everyone since the hub was made."""
        return self._flusher.sent

    async def health(self) -> PartHealth:
        """Tell whether new clients are taken, and how many there are."""
        figures = {"connections": len(self)}
        if self.draining or self.requests.stopping:
            return PartHealth("stopping", Level.STOPPING, figures=figures)
        return PartHealth(figures=figures)

    def end_session(self, session: str) -> None:
        """Make everyone anonymous who is signed in by a session that has been revoked."""
        for conversation in self.conversations:
            conversation.end_session(session)

    # --- connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket of Synovia's own protocol from its handshake to its end."""
        await self.serve(scope, receive, send, self._open, SUBPROTOCOL)

    def _open(
        self, name: str, address: Address, flusher: Flusher, scope: Scope, receive: Receive, send: Send
    ) -> tuple[FrameSocket, Peer]:
        socket = Socket(name, self.limits, flusher, scope, receive, send)
        return socket, Conversation(self.context, socket, address)

    async def serve(self, scope: Scope, receive: Receive, send: Send, open: Open, subprotocol: str | None) -> None:
        """Serve one WebSocket of any protocol.

        Args:
            open: Makes what speaks it.
            subprotocol: What the client has to offer, if anything.
        """
        address = self.addresses.of_peer(scope)
        refusal = self._refusal(scope, address, subprotocol)
        if refusal is not None:
            self.counters.refused += 1
            if refusal.code in LIMIT_CODES:
                self.counters.limits["connections of the hub or an address"] += 1
            await refusal(scope, receive, send)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
        self.counters.accepted += 1
        host, port = scope.get("client") or ("unknown", 0)
        name = f"connection {next(self._names)} from {host}:{port}"
        opened = open(name, address, self._flusher, scope, receive, send)
        scope["headers"] = []  # nobody looks at them any more, and they would stay as long as the connection
        await self._serve(*opened, address)

    def _refusal(self, scope: Scope, address: Address, subprotocol: str | None) -> Refusal | None:
        """Tell why a client is not let in; its Origin, and how often it comes, have been looked at before."""
        if self.requests.stopping:
            return Refusal(503, ErrorCode.STOPPING, "this server is stopping", self.limits.retry_spread)
        if len(self._conversations) >= self.limits.max_connections:
            return Refusal(503, ErrorCode.OVERLOADED, "this server has as many connections as it may", 10)
        if address.connections >= self.limits.max_connections_per_address:
            return Refusal(429, ErrorCode.LIMIT_EXCEEDED, "this address has as many connections as it may", 10)
        if subprotocol is not None and subprotocol not in scope.get("subprotocols", ()):
            return Refusal(400, ErrorCode.BAD_MESSAGE, f"offer the subprotocol {subprotocol}")
        return None

    async def _serve(self, socket: FrameSocket, conversation: Peer, address: Address) -> None:
        self._conversations[socket] = conversation
        socket.count_in(self.backlog, address)
        address.connections += 1
        self._empty.clear()
        try:
            await socket.serve(conversation)
        finally:
            del self._conversations[socket]
            address.connections -= 1
            self.counters.closed += 1
            if socket.ending is not None and socket.ending.error.code in LIMIT_CODES:
                self.counters.limits[f"connections ended: {socket.ending.error.code}"] += 1
            if not self._conversations:
                self._empty.set()

    # --- life

    def start(self) -> None:
        """Begin to watch the deadlines."""
        self._watcher = asyncio.create_task(self._watch(), name="hub deadlines")

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self.limits.watch_interval)
            now = clock()
            for conversation in self.conversations:
                conversation.watch(now)

    async def stop(self) -> None:
        """Let running requests finish, then send everybody away with a time to come back; give up after a while."""
        await self.requests.finish(self.limits.drain_timeout)
        await self._send_away()
        await self.requests.cancel()
        if self._watcher is not None:
            await end([self._watcher])

    async def _send_away(self) -> None:
        for socket in self._conversations:
            socket.end(self._farewell())
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.farewell_timeout):
                await self._empty.wait()
        for socket in list(self._conversations):
            socket.cut(self._farewell())
        await self._empty.wait()

    def _farewell(self) -> Ending:
        wait = 0.2 + random.random() * self.limits.retry_spread
        error = ErrorInfo(ErrorCode.STOPPING, "this server is stopping")
        return Ending(error, CloseCode.GOING_AWAY, retry_after=wait, flush=True)
