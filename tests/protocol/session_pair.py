"""Both ends of a connection back to back: what one sends, the other receives, and each step is looked at on both sides."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from synovia_protocol.codec import pack, pack_patch_update, pack_update, pack_value_update
from synovia_protocol.errors import ProtocolError
from synovia_protocol.messages import QueryAdd, QueryUnchanged
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


class Pair:
    """A client session and a server session, joined by plain bytes."""

    def __init__(self, client: ClientSession | None = None) -> None:
        self.client = client or ClientSession(SESSION)
        self.server = ServerSession()

    def to_server(self, frame: bytes) -> list[ServerEvent]:
        """Let the server receive what the client sent."""
        return self.server.receive(frame)

    def to_client(self, frame: bytes) -> list[ClientEvent]:
        """Let the client receive what the server sent."""
        return self.client.receive(frame)

    def open(self) -> Pair:
        """Exchange Connect and Welcome."""
        self.to_server(self.client.connect())
        self.to_client(self.server.send_welcome(30))
        self.check(ClientState.OPEN, ServerState.OPEN)
        return self

    def check(self, client: ClientState, server: ServerState) -> None:
        """Check where both ends stand."""
        assert (self.client.state, self.server.state) == (client, server)

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
