"""The messages of ``synovia.v1``, one class each.

On the wire a message is a msgpack array: its type number, then its fields in the order of the class. Fields that a
receiver does not know (further elements) are ignored; optional fields at the end may be left out; an unknown type
number is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any, ClassVar

from synovia_protocol.errors import ErrorInfo

PROTOCOL_VERSION = 1
SUBPROTOCOL = "synovia.v1"


class ArrayRef:
    """A reference to an array: what documents and messages hold in place of the samples.

    A plain class and not a dataclass, because pydantic takes dataclasses apart when it dumps a model.

    Attributes:
        digest: 32 bytes, see ``arrays.array_digest``.
        dtype: A numpy name of ``arrays.DTYPES``, as ``float64``.
        shape: The length of each axis, row-major; ``(n,)`` for a plain series.
    """

    __slots__ = ("digest", "dtype", "shape")

    digest: bytes
    dtype: str
    shape: tuple[int, ...]

    def __init__(self, digest: bytes, dtype: str, shape: Iterable[int]) -> None:
        object.__setattr__(self, "digest", digest)
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "shape", tuple(shape))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an ArrayRef does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ArrayRef):
            return NotImplemented
        return (self.digest, self.dtype, self.shape) == (other.digest, other.dtype, other.shape)

    def __hash__(self) -> int:
        return hash((self.digest, self.dtype, self.shape))

    def __repr__(self) -> str:
        return f"ArrayRef({self.digest.hex()[:12]}…, {self.dtype}, {self.shape})"

    def __reduce__(self) -> tuple[type[ArrayRef], tuple[bytes, str, tuple[int, ...]]]:
        return ArrayRef, (self.digest, self.dtype, self.shape)

    @property
    def length(self) -> int:
        """The number of elements."""
        return prod(self.shape)


# --- client to server -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connect:
    """The first message: which session this is (16 random bytes, outlives the connection), and the newest ts seen."""

    TYPE: ClassVar[int] = 1
    session: bytes
    version: int = PROTOCOL_VERSION
    newest_ts: int | None = None
    client: str = ""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Sign in with a token, or become anonymous with None."""

    TYPE: ClassVar[int] = 2
    token: str | None = None


@dataclass(frozen=True, slots=True)
class QueryAdd:
    """One query to subscribe to. ``query_id`` is never used again on the same connection.

    ``digest`` is that of the result already held as of ``Connect.newest_ts``; ``journal`` is what came with it.
    ``traceparent`` is as in ``Mutation``.
    """

    query_id: int
    path: str
    args: dict[str, Any]
    digest: bytes | None = None
    journal: bytes | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class ModifyQuerySet:
    TYPE: ClassVar[int] = 3
    add: tuple[QueryAdd, ...] = ()
    remove: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Mutation:
    """Run a mutation. ``request_id`` counts within the session; ``retry`` says that it may have been sent before.

    ``issued_at`` is when it was first asked for, in milliseconds since 1970 by the server's clock (``Welcome.server_time``
    tells how far the client's own is off). A retry older than the server keeps request records is refused, never run again.
    ``traceparent`` is the header of that name of W3C Trace Context: what the caller traces, and the call is a part of.
    """

    TYPE: ClassVar[int] = 4
    request_id: int
    path: str
    args: dict[str, Any]
    retry: bool = False
    issued_at: int | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Run an action; ``traceparent`` is as in ``Mutation``."""

    TYPE: ClassVar[int] = 5
    request_id: int
    path: str
    args: dict[str, Any]
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class FetchArray:
    """Ask for elements ``[start, stop)`` of an array that the live query ``query_id`` shows; ``stop`` None is the end.

    With ``points`` the answer is thinned to ``points // 2`` buckets at most, each its minimum and its maximum.
    """

    TYPE: ClassVar[int] = 6
    request_id: int
    query_id: int
    digest: bytes
    start: int = 0
    stop: int | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class CancelFetch:
    TYPE: ClassVar[int] = 7
    request_id: int


@dataclass(frozen=True, slots=True)
class Ping:
    TYPE: ClassVar[int] = 8
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class PresenceJoin:
    """Be present in the room of a query that may be called, and be told who else is.

    Rooms of a connection are numbered upwards. ``state`` is what the others see of this client beside what the query says.
    """

    TYPE: ClassVar[int] = 9
    room_id: int
    path: str
    args: dict[str, Any]
    state: Any = None


@dataclass(frozen=True, slots=True)
class PresenceState:
    """Show the others in a room something else; only the newest state counts."""

    TYPE: ClassVar[int] = 10
    room_id: int
    state: Any


@dataclass(frozen=True, slots=True)
class PresenceLeave:
    TYPE: ClassVar[int] = 11
    room_id: int


# --- server to client -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to Connect. The server closes a connection on which nothing arrives for ``idle_timeout`` seconds.

    ``server_time`` is the server's clock in milliseconds since 1970 (UTC).
    """

    TYPE: ClassVar[int] = 32
    version: int
    max_message_bytes: int
    idle_timeout: float
    server_time: int | None = None


@dataclass(frozen=True, slots=True)
class QueryValue:
    """A whole result. ``journal`` is to be sent back when the query is subscribed to again."""

    KIND: ClassVar[int] = 0
    query_id: int
    value: Any
    journal: bytes | None = None


@dataclass(frozen=True, slots=True)
class QueryPatch:
    """Patches that lead, one after the other, from the result that the client holds to the new one."""

    KIND: ClassVar[int] = 1
    query_id: int
    patches: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class QueryUnchanged:
    """The result that the client said it holds is still the newest."""

    KIND: ClassVar[int] = 2
    query_id: int


@dataclass(frozen=True, slots=True)
class QueryFailed:
    KIND: ClassVar[int] = 3
    query_id: int
    error: ErrorInfo


QueryUpdate = QueryValue | QueryPatch | QueryUnchanged | QueryFailed


@dataclass(frozen=True, slots=True)
class Transition:
    """Move from one instant to a later one; every query not named has the same result at both.

    ``number`` counts the transitions of a connection from 1, so that a lost or doubled one shows even when time stood
    still (a query added, or another identity); 0 does not count.
    """

    TYPE: ClassVar[int] = 33
    from_ts: int
    to_ts: int
    updates: tuple[QueryUpdate, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class MutationResponse:
    """The outcome of a mutation; the transition that shows its effects was sent before. ``ts`` None: not committed."""

    TYPE: ClassVar[int] = 34
    request_id: int
    ts: int | None
    result: Any = None
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class ActionResponse:
    TYPE: ClassVar[int] = 35
    request_id: int
    result: Any = None
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class AuthError:
    """The token was not accepted; the connection goes on as anonymous."""

    TYPE: ClassVar[int] = 36
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The token was accepted.

    Attributes:
        token: A token of the server's own to connect with from now on; None: go on using the one that was sent.
        refresh_token: Sent in place of ``token`` to get new ones when that has expired; None: there is none.
        expires_at: When the connection falls back to anonymous unless it authenticates again, in milliseconds since
            1970 (UTC); None: never.
    """

    TYPE: ClassVar[int] = 40
    token: str | None = None
    refresh_token: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class ArrayResponse:
    """The answer to FetchArray: frames with these elements follow (none when ``shape`` has a zero), or an error."""

    TYPE: ClassVar[int] = 37
    request_id: int
    dtype: str = "float64"
    shape: tuple[int, ...] = ()
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class PresenceMember:
    """Somebody in a room: ``who`` is what the room's query says of them, ``state`` what they say themselves."""

    id: str
    who: Any
    state: Any


@dataclass(frozen=True, slots=True)
class PresenceMove:
    """Somebody whose state is another one."""

    id: str
    state: Any


@dataclass(frozen=True, slots=True)
class PresenceUpdate:
    """What has changed in a room since the last update of it.

    Attributes:
        here: Who has come, or is somebody else now.
        moved: Whose state alone has changed.
        left: The ids of those who have gone.
        whole: ``here`` are all who are there: forget whom else you know.
        me: The client's own id; said in the first update.
    """

    TYPE: ClassVar[int] = 41
    room_id: int
    here: tuple[PresenceMember, ...] = ()
    moved: tuple[PresenceMove, ...] = ()
    left: tuple[str, ...] = ()
    whole: bool = False
    me: str | None = None


@dataclass(frozen=True, slots=True)
class PresenceEnded:
    """The client is not in the room, or not any more: its query has failed."""

    TYPE: ClassVar[int] = 42
    room_id: int
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class FatalError:
    """The connection ends. ``retry_after`` seconds: connect again then; None: it would end the same way."""

    TYPE: ClassVar[int] = 38
    error: ErrorInfo
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Pong:
    TYPE: ClassVar[int] = 39
    nonce: int = 0


ClientMessage = (
    Connect
    | Authenticate
    | ModifyQuerySet
    | Mutation
    | Action
    | FetchArray
    | CancelFetch
    | Ping
    | PresenceJoin
    | PresenceState
    | PresenceLeave
)
ServerMessage = (
    Welcome
    | Transition
    | MutationResponse
    | ActionResponse
    | Authenticated
    | AuthError
    | ArrayResponse
    | FatalError
    | Pong
    | PresenceUpdate
    | PresenceEnded
)
Message = ClientMessage | ServerMessage


@dataclass(frozen=True, slots=True)
class ArrayFrame:
    """A raw array frame: ``length`` elements are to come under this stream, ``data`` holds those from ``position`` on.

    ``stream`` is the request id of the FetchArray it answers, 0 for an upload. ``data`` is little-endian, row-major.
    """

    stream: int
    dtype: str
    digest: bytes
    position: int
    length: int
    data: memoryview = field(repr=False)
