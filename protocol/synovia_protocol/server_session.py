"""The server's end of one connection: frames in, events out, bytes to send. No socket, no clock.

What may come and go in which state stands in two tables. A client that leaves them breaks the protocol; a caller who
does gets a ``SessionError``, and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from enum import IntEnum, auto
from typing import Any

from synovia_protocol.array_answers import ArrayAnswers
from synovia_protocol.arrays import ArrayReceiver, decode_frame, encode_frame, is_array_frame
from synovia_protocol.codec import (
    FROM_CLIENT,
    Limits,
    decode_client,
    encode,
    encode_transition,
    pack_action_response,
    pack_mutation_response,
    pack_presence_update,
)
from synovia_protocol.errors import ErrorCode, ProtocolError, SessionError
from synovia_protocol.events import ServerEvent
from synovia_protocol.messages import (
    PROTOCOL_VERSION,
    Action,
    ActionResponse,
    ArrayFrame,
    ArrayResponse,
    Authenticate,
    Authenticated,
    AuthError,
    CancelFetch,
    ClientMessage,
    Connect,
    FatalError,
    FetchArray,
    ModifyQuerySet,
    Mutation,
    MutationResponse,
    Ping,
    Pong,
    PresenceEnded,
    PresenceJoin,
    PresenceLeave,
    PresenceState,
    PresenceUpdate,
    ServerMessage,
    Transition,
    Welcome,
)


class ServerState(IntEnum):  # hashed as integers, for each message: the members of an Enum by a function in Python
    """The states of a connection as its server sees it."""

    EXPECT_CONNECT = auto()
    WELCOME_DUE = auto()
    OPEN = auto()
    FATAL_ERROR_DUE = auto()
    CLOSED = auto()


_WELCOME_DUE, _OPEN, _CLOSED = ServerState.WELCOME_DUE, ServerState.OPEN, ServerState.CLOSED

_PRESENCE = (PresenceJoin, PresenceState, PresenceLeave)
_REQUESTS = (Authenticate, ModifyQuerySet, Mutation, Action, FetchArray, CancelFetch, Ping, ArrayFrame, *_PRESENCE)
_RECEIVES: dict[ServerState, dict[type, ServerState]] = {
    ServerState.EXPECT_CONNECT: {Connect: _WELCOME_DUE},
    _WELCOME_DUE: dict.fromkeys(_REQUESTS, _WELCOME_DUE),  # clients do not wait for Welcome
    _OPEN: dict.fromkeys(_REQUESTS, _OPEN),
    ServerState.FATAL_ERROR_DUE: {},
    _CLOSED: {},
}
_SENDS: dict[ServerState, dict[type, ServerState]] = {
    ServerState.EXPECT_CONNECT: {FatalError: _CLOSED},
    _WELCOME_DUE: {Welcome: _OPEN, FatalError: _CLOSED},
    _OPEN: {
        **dict.fromkeys((Transition, MutationResponse, ActionResponse, Authenticated, AuthError), _OPEN),
        **dict.fromkeys((ArrayResponse, ArrayFrame, Pong, PresenceUpdate, PresenceEnded), _OPEN),
        FatalError: _CLOSED,
    },
    ServerState.FATAL_ERROR_DUE: {FatalError: _CLOSED},
    _CLOSED: {},
}


_NO_ROOMS: frozenset[int] = frozenset()  # most connections are in none, and an empty set takes 216 bytes


class ServerSession:
    """One connection as the server sees it.

    What the methods that send give must go out in the order of the calls, but for the answers to requests: these may wait.

    Attributes:
        state: Where it stands; FATAL_ERROR_DUE after a ProtocolError, CLOSED once FatalError was sent.
        connect: The client's Connect, once it has come.
        ts: The instant that the client is at, where the next transition starts.
        transitions: How many it was sent, which is the number of the last.
    """

    def __init__(self, limits: Limits = FROM_CLIENT) -> None:
        self.limits = limits
        self.state = ServerState.EXPECT_CONNECT
        self.connect: Connect | None = None
        self.ts = 0
        self.transitions = 0
        self._queries: set[int] = set()
        self._uploads = ArrayReceiver(limits)
        self._requests: dict[tuple[type, int], int] = {}  # a Counter has methods in Python
        self._fetches = ArrayAnswers()
        self._rooms: Set[int] = _NO_ROOMS
        self._last_room = -1

    @property
    def is_over(self) -> bool:
        """Whether nothing can be received any more, nor sent but the reason."""
        return self.state is _CLOSED or self.state is ServerState.FATAL_ERROR_DUE

    @property
    def is_closed(self) -> bool:
        """Whether the reason was sent too."""
        return self.state is _CLOSED

    # --- receiving

    def receive(self, frame: bytes | str) -> list[ServerEvent]:
        """Take one frame and give what it says: a message of the client, or what an array frame completed.

        Raises:
            ProtocolError: The client broke the protocol: send a FatalError with its ``info``, close with its close code.
        """
        try:
            return self._receive(frame)
        except ProtocolError:
            if self.state is not _CLOSED:
                self.state = ServerState.FATAL_ERROR_DUE
            raise

    def _receive(self, frame: bytes | str) -> list[ServerEvent]:
        if not isinstance(frame, str) and is_array_frame(frame):
            self._check_expected(ArrayFrame)
            return list(self._uploads.receive(decode_frame(frame)))
        message = decode_client(frame, self.limits)
        state = self._check_expected(type(message))
        self._take(message)
        self.state = state
        return [message]

    def _check_expected(self, kind: type) -> ServerState:
        state = _RECEIVES[self.state].get(kind)
        if state is None:
            raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, f"{kind.__name__} in state {self.state.name}")
        return state

    def _take(self, message: ClientMessage) -> None:
        if isinstance(message, ModifyQuerySet):
            self._modify(message)
        elif isinstance(message, (Mutation, Action)):
            request = type(message), message.request_id
            self._requests[request] = self._requests.get(request, 0) + 1
        elif isinstance(message, FetchArray):
            self._fetches.ask(message)
        elif isinstance(message, CancelFetch):
            self._fetches.cancel(message.request_id)
        elif isinstance(message, PresenceJoin):
            self._join(message.room_id)
        elif isinstance(message, PresenceLeave):
            self._rooms -= {message.room_id}
        elif isinstance(message, Connect):
            if message.version != PROTOCOL_VERSION:
                raise ProtocolError(
                    ErrorCode.UNSUPPORTED_VERSION, f"version {message.version}; this is {PROTOCOL_VERSION}"
                )
            self.connect = message
            self.ts = message.newest_ts or 0

    def _join(self, room_id: int) -> None:
        if room_id <= self._last_room:
            raise ProtocolError(ErrorCode.BAD_MESSAGE, f"room {room_id} is joined after room {self._last_room}")
        self._last_room = room_id
        self._rooms |= {room_id}

    def _modify(self, message: ModifyQuerySet) -> None:
        for query_id in message.remove:
            if query_id not in self._queries:
                raise ProtocolError(ErrorCode.BAD_MESSAGE, f"query {query_id} is removed but not there")
            self._queries.discard(query_id)
        for add in message.add:
            if add.query_id in self._queries:
                raise ProtocolError(ErrorCode.BAD_MESSAGE, f"query {add.query_id} is added twice")
            self._queries.add(add.query_id)

    # --- sending

    def send(self, message: ServerMessage) -> bytes:
        """Send a message; Transition and what is packed already have methods of their own.

        Raises:
            SessionError: It cannot be sent now, or answers a request that is not open.
        """
        state = self._check_sendable(type(message))
        if isinstance(message, Transition):
            raise SessionError("a transition is sent by send_transition, which knows where it starts")
        frame = encode(message)
        if isinstance(message, (MutationResponse, ActionResponse)):
            self._answer(Mutation if isinstance(message, MutationResponse) else Action, message.request_id)
        elif isinstance(message, ArrayResponse):
            self._fetches.respond(message)
        elif isinstance(message, (PresenceUpdate, PresenceEnded)):
            self._check_room(message.room_id)
            self._rooms -= {message.room_id} if isinstance(message, PresenceEnded) else set()
        self.state = state
        return frame

    def send_welcome(self, idle_timeout: float, server_time: int | None = None) -> bytes:
        """Answer Connect; the connection is closed after ``idle_timeout`` seconds without a frame from the client."""
        return self.send(Welcome(PROTOCOL_VERSION, self.limits.max_message_bytes, idle_timeout, server_time))

    def send_transition(
        self,
        to_ts: int,
        updates: Iterable[Any] = (),
        encode: Callable[[int, int, Any, int], bytes] = encode_transition,
    ) -> bytes:
        """Move the client from where it is to ``to_ts``.

        Args:
            updates: What ``encode`` takes: packed updates, unless it is the caller's own.
            encode: Makes the frame of (from_ts, to_ts, updates, number); a server with many clients that are told the same
                gives one that remembers. What it raises is passed on, and nothing has changed.
        """
        if self.state is not _OPEN:
            self._check_sendable(Transition)
        if to_ts < self.ts:
            raise SessionError(f"a transition from {self.ts} back to {to_ts}")
        number = self.transitions + 1
        frame = encode(self.ts, to_ts, updates, number)
        self.transitions = number
        self.ts = to_ts
        return frame

    def send_again(self, from_ts: int, to_ts: int, number: int) -> bool:
        """Move the client by a transition that is encoded already, as another client was given it.

        Returns:
            False if it is not this client's next one: it starts elsewhere, or has another number. Nothing has changed then.
        """
        if self.ts != from_ts or self.transitions != number - 1 or self.state is not _OPEN or to_ts < from_ts:
            return False
        self.transitions = number
        self.ts = to_ts
        return True

    def start_over(self) -> None:
        """Do not continue from the client's newest ts, which this server cannot reach: the client resynchronises.

        Raises:
            SessionError: The client has been moved on from there.
        """
        if self.connect is None or self.ts != (self.connect.newest_ts or 0):
            raise SessionError("transitions have led on from where the client was")
        self.ts = 0

    def send_mutation_result(self, request_id: int, ts: int | None, packed_result: bytes) -> bytes:
        """Answer a mutation, after the transition that shows its effects, with a result that is packed already."""
        if self.state is not _OPEN:
            self._check_sendable(MutationResponse)
        self._answer(Mutation, request_id)
        return pack_mutation_response(request_id, ts, packed_result)

    def send_action_result(self, request_id: int, packed_result: bytes) -> bytes:
        """Answer an action with a result that is packed already."""
        self._check_sendable(ActionResponse)
        self._answer(Action, request_id)
        return pack_action_response(request_id, packed_result)

    def is_in_room(self, room_id: int) -> bool:
        """Tell whether the client may still be told of a room: it has joined it, has not left it and was not put out."""
        return room_id in self._rooms

    def send_presence(self, room_id: int, packed_changes: bytes, me: str | None = None) -> bytes:
        """Tell what has changed in a room, as ``pack_presence_changes`` gave it."""
        self._check_sendable(PresenceUpdate)
        self._check_room(room_id)
        return pack_presence_update(room_id, packed_changes, me)

    def _check_room(self, room_id: int) -> None:
        if room_id not in self._rooms:
            raise SessionError(f"the client is not in room {room_id}")

    def send_array_frame(self, frame: ArrayFrame) -> bytes:
        """Send the next elements that an ArrayResponse announced."""
        self._check_sendable(ArrayFrame)
        self._fetches.send(frame)
        return encode_frame(frame)

    def owes_elements(self, request_id: int) -> bool:
        """Whether elements of an answer to a FetchArray have been announced and not been sent."""
        return self._fetches.owes(request_id)

    def _answer(self, kind: type, request_id: int) -> None:
        request = kind, request_id
        left = self._requests.get(request, 0) - 1
        if left < 0:
            raise SessionError(f"no {kind.__name__} {request_id} is open")
        if left:
            self._requests[request] = left
        else:
            del self._requests[request]

    def _check_sendable(self, kind: type) -> ServerState:
        state = _SENDS[self.state].get(kind)
        if state is None:
            raise SessionError(f"{kind.__name__} cannot be sent in state {self.state.name}")
        return state
