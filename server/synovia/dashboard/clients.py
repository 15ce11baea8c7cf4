"""``_system/clients``: who is connected to this hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from synovia.dashboard.declaring import action, look_again, query
from synovia.dashboard.live import LiveQueryFunctions, LiveQueryShown
from synovia.dashboard.running import Running
from synovia.errors import NotFound
from synovia.functions.context import ActionContext, MutationContext, QueryContext
from synovia.functions.function import Function
from synovia.schema import Model
from synovia.sync.frame_socket import FrameSocket
from synovia.sync.hub import Peer
from synovia.sync.peer_state import PeerState
from synovia.sync.socket import Ending
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo

MOST_SHOWN: Final = 1_000
COME_BACK_SECONDS: Final = 1.0
"""After so long a client that was ended connects again; one that is told no time gives up."""


class ClientShown(Model):
    """A connection.

    Attributes:
        behind: Whether the hub has a newer instant than the client was told of, which may have changed nothing for it.
        waiting: Bytes that it has not taken yet.
        seconds: For how long it has been open.
    """

    name: str
    protocol: str
    caller: str | None = None
    caller_name: str | None = None
    holds: int
    behind: bool
    busy: bool
    waiting: int
    seconds: int


class ClientDetails(Model):
    """A connection with what it holds.

    Attributes:
        as_of: The timestamp of the instant that it was told last; None: Convex clients are told another one.
        head: That of the newest commit that this hub knows.
        queries: What it holds, without what operators look at.
    """

    client: ClientShown
    as_of: str | None = None
    head: str
    queries: list[LiveQueryShown]


class ClientFunctions:
    """Lists connections, and ends them.

    Args:
        live: Knows what each holds.
    """

    def __init__(self, running: Running, live: LiveQueryFunctions) -> None:
        self._running = running
        self._live = live

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("clients:list", self.listed)
        yield query("clients:get", self.get)
        yield action("clients:end", self.end)

    async def listed(self, ctx: QueryContext, limit: int = 500) -> list[ClientShown]:
        """List who is connected, the newest first."""
        look_again(ctx)
        head = self._running().engine.head
        newest = self._running().hub.connections[::-1][: min(limit, MOST_SHOWN)]
        return [_shown(socket, peer.state, head) for socket, peer in newest]

    async def get(self, ctx: QueryContext, name: str) -> ClientDetails:
        """Show one with what it holds."""
        look_again(ctx)
        socket, peer = self._connection(name)
        state, head = peer.state, self._running().engine.head
        return ClientDetails(
            client=_shown(socket, state, head),
            as_of=None if state.ts is None else str(state.ts),
            head=str(head),
            queries=self._live.held_by(name),
        )

    def _connection(self, name: str) -> tuple[FrameSocket, Peer]:
        found = next((each for each in self._running().hub.connections if each[0].name == name), None)
        if found is None:
            raise NotFound("this connection has ended already")
        return found

    async def end(self, ctx: ActionContext, name: str) -> None:
        """End a connection; a client comes back by itself."""
        socket, _ = self._connection(name)
        actor = None if ctx.identity is None else ctx.identity.key

        async def write(inner: MutationContext) -> None:
            await inner.audit("operator.end_client", subject=name, data={"by": actor})

        (await self._running().engine.transact(write, path="_system/clients:end")).value()
        error = ErrorInfo(ErrorCode.STOPPING, "an operator has ended this connection")
        socket.end(Ending(error, CloseCode.GOING_AWAY, retry_after=COME_BACK_SECONDS))


def _shown(socket: FrameSocket, state: PeerState, head: int) -> ClientShown:
    who = state.identity
    return ClientShown(
        name=socket.name,
        protocol=state.protocol,
        caller=None if who is None else who.key,
        caller_name=None if who is None else who.email or who.name,
        holds=state.holds,
        behind=state.ts is not None and state.ts < head,
        busy=state.busy,
        waiting=socket.outbox.waiting_bytes + state.waiting_bytes,
        seconds=int(socket.seconds),
    )
