"""The server's end of one connection: frames in, events out, bytes to send. No socket, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from synovia_protocol.arrays import ArrayReceiver, decode_frame, encode_frame, is_array_frame
from synovia_protocol.codec import (
    FROM_CLIENT,
    Limits,
    decode_client,
    encode,
    encode_transition,
    pack_action_response,
    pack_mutation_response,
)
from synovia_protocol.errors import ErrorCode, ErrorInfo, ProtocolError, SessionError
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
    ServerMessage,
    Transition,
    Welcome,
)


class ServerState(Enum):
    """The states of a connection as its server sees it."""

    EXPECT_CONNECT = auto()
    OPEN = auto()
    CLOSED = auto()


_OPEN, _CLOSED = ServerState.OPEN, ServerState.CLOSED

_RECEIVES: dict[ServerState, dict[type, ServerState]] = {
    ServerState.EXPECT_CONNECT: {Connect: _OPEN},
    _OPEN: dict.fromkeys(
        (Authenticate, ModifyQuerySet, Mutation, Action, FetchArray, CancelFetch, Ping, ArrayFrame), _OPEN
    ),
    _CLOSED: {},
}
_SENDS: dict[ServerState, dict[type, ServerState]] = {
    ServerState.EXPECT_CONNECT: {FatalError: _CLOSED},
    _OPEN: {
        **dict.fromkeys((Welcome, Transition, MutationResponse, ActionResponse, Authenticated, AuthError), _OPEN),
        **dict.fromkeys((ArrayResponse, ArrayFrame, Pong), _OPEN),
        FatalError: _CLOSED,
    },
    _CLOSED: {FatalError: _CLOSED},  # why it was closed: the answer to a frame that broke the protocol
}


class ServerSession:
    """One connection as the server sees it.

    Attributes:
        state: Where it stands; CLOSED after a ProtocolError and after ``send_fatal``.
        connect: The client's Connect, once it has come.
        ts: The instant that the client is at, where the next transition starts.
    """

    def __init__(self, limits: Limits = FROM_CLIENT) -> None:
        self.limits = limits
        self.state = ServerState.EXPECT_CONNECT
        self.connect: Connect | None = None
        self.ts = 0
        self._transitions = 0
        self._queries: set[int] = set()
        self._uploads = ArrayReceiver(limits)

    # --- receiving

    def receive(self, frame: bytes | str) -> list[ServerEvent]:
        """Take one frame and give what it says: a message of the client, or what an array frame completed.

        Raises:
            ProtocolError: The client broke the protocol: send ``send_fatal(error.info)``, close with its close code.
        """
        try:
            return self._receive(frame)
        except ProtocolError:
            self.state = _CLOSED
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
        elif isinstance(message, Connect):
            if message.version != PROTOCOL_VERSION:
                raise ProtocolError(
                    ErrorCode.UNSUPPORTED_VERSION, f"version {message.version}; this is {PROTOCOL_VERSION}"
                )
            self.connect = message
            self.ts = message.newest_ts or 0

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

    def send_welcome(self, idle_timeout: float, server_time: int | None = None) -> bytes:
        """Answer Connect; the connection is closed after ``idle_timeout`` seconds without a frame from the client."""
        return self._send(Welcome(PROTOCOL_VERSION, self.limits.max_message_bytes, idle_timeout, server_time))

    def send_transition(self, to_ts: int, packed_updates: Iterable[bytes] = ()) -> bytes:
        """Move the client from where it is to ``to_ts``. What this gives must be sent, and in this order."""
        self._check_sendable(Transition)
        if to_ts < self.ts:
            raise SessionError(f"a transition from {self.ts} back to {to_ts}")
        frame = encode_transition(self.ts, to_ts, packed_updates, self._transitions + 1)
        self._transitions += 1
        self.ts = to_ts
        return frame

    def start_over(self) -> None:
        """Do not continue from the client's newest ts, which this server cannot reach: the client resynchronises."""
        if self._transitions:
            raise SessionError("transitions have been sent")
        self.ts = 0

    def send_mutation_response(self, request_id: int, ts: int | None, packed_result: bytes) -> bytes:
        """Answer a mutation, after the transition that shows its effects."""
        self._check_sendable(MutationResponse)
        return pack_mutation_response(request_id, ts, packed_result)

    def send_mutation_error(self, request_id: int, error: ErrorInfo, ts: int | None = None) -> bytes:
        """Answer a mutation that failed."""
        return self._send(MutationResponse(request_id, ts, None, error))

    def send_action_response(self, request_id: int, packed_result: bytes) -> bytes:
        """Answer an action."""
        self._check_sendable(ActionResponse)
        return pack_action_response(request_id, packed_result)

    def send_action_error(self, request_id: int, error: ErrorInfo) -> bytes:
        """Answer an action that failed."""
        return self._send(ActionResponse(request_id, None, error))

    def send_authenticated(
        self, token: str | None = None, refresh_token: str | None = None, expires_at: int | None = None
    ) -> bytes:
        """Say that the token was accepted, and what to sign in with from now on."""
        return self._send(Authenticated(token, refresh_token, expires_at))

    def send_auth_error(self, error: ErrorInfo) -> bytes:
        """Say that the token was not accepted."""
        return self._send(AuthError(error))

    def send_array_response(self, request_id: int, dtype: str, shape: tuple[int, ...]) -> bytes:
        """Announce the frames that answer a FetchArray."""
        return self._send(ArrayResponse(request_id, dtype, shape))

    def send_array_error(self, request_id: int, error: ErrorInfo) -> bytes:
        """Answer a FetchArray that failed."""
        return self._send(ArrayResponse(request_id, error=error))

    def send_array_frame(self, frame: ArrayFrame) -> bytes:
        """Send some of the elements that an ArrayResponse announced."""
        self._check_sendable(ArrayFrame)
        return encode_frame(frame)

    def send_pong(self, nonce: int) -> bytes:
        """Answer a ping."""
        return self._send(Pong(nonce))

    def send_fatal(self, error: ErrorInfo, retry_after: float | None = None) -> bytes:
        """Say why the connection is about to be closed."""
        return self._send(FatalError(error, retry_after))

    def _send(self, message: ServerMessage) -> bytes:
        state = self._check_sendable(type(message))
        frame = encode(message)
        self.state = state
        return frame

    def _check_sendable(self, kind: type) -> ServerState:
        state = _SENDS[self.state].get(kind)
        if state is None:
            raise SessionError(f"{kind.__name__} cannot be sent in state {self.state.name}")
        return state
