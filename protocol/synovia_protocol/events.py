"""What a client session tells its owner; a server session gives the client's messages themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from synovia_protocol.arrays import ArrayReceived, ChunkReceived, to_numpy
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.messages import (
    ActionResponse,
    ArrayResponse,
    Authenticated,
    AuthError,
    ClientMessage,
    FatalError,
    MutationResponse,
    Pong,
    PresenceEnded,
    PresenceMember,
    Welcome,
)


@dataclass(frozen=True, slots=True)
class QueryUpdated:
    """A query has a result. Not ``changed``: it is the one held from an earlier connection, now known to be current.

    Attributes:
        patches: What led to it from the result before, one after the other; none if the whole value was sent.
    """

    query_id: int
    value: Any
    changed: bool = True
    patches: Sequence[Any] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class QueryErrored:
    """A query failed; it has no result until it is updated again."""

    query_id: int
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class TransitionApplied:
    """Every result held is now that of ``ts``; follows the queries' own events, and names those that changed."""

    ts: int
    changed: frozenset[int]


@dataclass(frozen=True, slots=True)
class ArrayChunk:
    """Some elements of the answer to a FetchArray: ``data`` starts at element ``position`` of ``length``."""

    request_id: int
    position: int
    length: int
    data: memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArrayFetched:
    """The answer to a FetchArray is complete."""

    request_id: int
    digest: bytes
    dtype: str
    shape: tuple[int, ...]
    data: memoryview = field(repr=False)

    def to_numpy(self) -> npt.NDArray[Any]:
        """View the elements as an array; nothing is copied."""
        return to_numpy(self.data, self.dtype, self.shape)


@dataclass(frozen=True, slots=True)
class PresenceUpdated:
    """Who is in a room now, this client too.

    Attributes:
        members: By their ids.
        me: The id of this client.
    """

    room_id: int
    members: Mapping[str, PresenceMember]
    me: str


ClientEvent = (
    Welcome
    | QueryUpdated
    | QueryErrored
    | TransitionApplied
    | MutationResponse
    | ActionResponse
    | Authenticated
    | AuthError
    | ArrayResponse
    | ArrayChunk
    | ArrayFetched
    | FatalError
    | Pong
    | PresenceUpdated
    | PresenceEnded
)
ServerEvent = ClientMessage | ChunkReceived | ArrayReceived
