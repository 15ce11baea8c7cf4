"""Both ends of a connection as state machines without I/O, and what they tell their owners."""

from __future__ import annotations

from synovia_protocol.arrays import ArrayReceived, ChunkReceived
from synovia_protocol.client_session import ClientSession, ClientState, Held
from synovia_protocol.errors import ProtocolError, ResyncNeeded, SessionError
from synovia_protocol.events import (
    ArrayChunk,
    ArrayFetched,
    ClientEvent,
    PresenceUpdated,
    QueryErrored,
    QueryUpdated,
    ServerEvent,
    TransitionApplied,
)
from synovia_protocol.server_session import ServerSession, ServerState

__all__ = [
    "ArrayChunk",
    "ArrayFetched",
    "ArrayReceived",
    "ChunkReceived",
    "ClientEvent",
    "ClientSession",
    "ClientState",
    "Held",
    "PresenceUpdated",
    "ProtocolError",
    "QueryErrored",
    "QueryUpdated",
    "ResyncNeeded",
    "ServerEvent",
    "ServerSession",
    "ServerState",
    "SessionError",
    "TransitionApplied",
]
