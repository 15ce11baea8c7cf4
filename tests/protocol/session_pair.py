"""Both ends of a connection back to back: what one sends, the other receives, and each step is looked at on both sides."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from synovia_protocol.codec import pack, pack_patch_update, pack_update, pack_value_update
from synovia_protocol.errors import ProtocolError
from synovia_protocol.messages import QueryAdd, QueryUnchanged, ServerMessage
from synovia_protocol.patch import diff
from synovia_protocol.sessions import (
    ClientEvent,
    ClientSession,
    ClientState,
    ServerEvent,
    ServerSession,
    ServerState,
)

SESSION = bytes(range(16))

TOGETHER = {
    (ClientState.NEW, ServerState.EXPECT_CONNECT),
    (ClientState.EXPECT_WELCOME, ServerState.EXPECT_CONNECT),
    (ClientState.EXPECT_WELCOME, ServerState.WELCOME_DUE),
    (ClientState.EXPECT_WELCOME, ServerState.OPEN),
    (ClientState.OPEN, ServerState.OPEN),
    *((ClientState.CLOSED, state) for state in ServerState),
    *((state, ServerState.CLOSED) for state in ClientState),
}
"""Where both ends may stand at the same time, frames under way included."""


class Pair:
    """A client session and a server session, joined by plain bytes."""

    def __init__(self, client: ClientSession | None = None) -> None:
        self.client = client or ClientSession(SESSION)
        self.server = ServerSession()

    def to_server(self, frame: bytes) -> list[ServerEvent]:
        """Let the server receive what the client sent."""
        events = self.server.receive(frame)
        self._check()
        return events

    def to_client(self, frame: bytes) -> list[ClientEvent]:
        """Let the client receive what the server sent."""
        events = self.client.receive(frame)
        self._check()
        return events

    def answer(self, message: ServerMessage) -> list[ClientEvent]:
        """Let the server send a message and the client receive it."""
        return self.to_client(self.server.send(message))

    def open(self) -> Pair:
        """Exchange Connect and Welcome."""
        self.to_server(self.client.connect())
        self.to_client(self.server.send_welcome(30))
        self.check(ClientState.OPEN, ServerState.OPEN)
        return self

    def check(self, client: ClientState, server: ServerState) -> None:
        """Check where both ends stand."""
        assert (self.client.state, self.server.state) == (client, server)

    def _check(self) -> None:
        assert (self.client.state, self.server.state) in TOGETHER

    def subscribe(self, *query_ids: int) -> list[ServerEvent]:
        """Add queries."""
        return self.to_server(self.client.modify([QueryAdd(query_id, "test:query", {}) for query_id in query_ids]))


def value_of(query_id: int, value: Any, journal: bytes | None = None) -> bytes:
    """Pack an update with a whole value."""
    return pack_value_update(query_id, pack(value), journal)


def patch_of(query_id: int, *versions: Any) -> bytes:
    """Pack an update with the patches from each version to the next."""
    return pack_patch_update(query_id, [pack(diff(old, new)) for old, new in itertools.pairwise(versions)])


def unchanged(query_id: int) -> bytes:
    """Pack an update that says the client's result is still right."""
    return pack_update(QueryUnchanged(query_id))


def refusal(work: Callable[[], object]) -> ProtocolError | None:
    """Do something with a session; give the ProtocolError that came of it, if one did."""
    try:
        work()
    except ProtocolError as error:
        return error
    return None
