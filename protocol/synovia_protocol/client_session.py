"""The client's end of one connection: holds the results, and turns frames into events. No socket, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import numpy.typing as npt

from synovia_protocol.arrays import decode_frame, encode_frame, frames_of, is_array_frame
from synovia_protocol.codec import FROM_CLIENT, FROM_SERVER, Limits, decode_server, encode
from synovia_protocol.digest import digest
from synovia_protocol.downloads import Downloads
from synovia_protocol.errors import ErrorCode, PatchError, ProtocolError, ResyncNeeded, SessionError, WireValueError
from synovia_protocol.events import ClientEvent, QueryErrored, QueryUpdated, TransitionApplied
from synovia_protocol.messages import (
    PROTOCOL_VERSION,
    Action,
    ActionResponse,
    ArrayFrame,
    ArrayRef,
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
    QueryAdd,
    QueryFailed,
    QueryPatch,
    QueryUnchanged,
    QueryUpdate,
    QueryValue,
    ServerMessage,
    Transition,
    Welcome,
)
from synovia_protocol.patch import apply
from synovia_protocol.rooms import Rooms


class ClientState(Enum):
    """The states of a connection as its client sees it."""

    NEW = auto()
    EXPECT_WELCOME = auto()
    OPEN = auto()
    CLOSED = auto()


_OPEN, _CLOSED = ClientState.OPEN, ClientState.CLOSED

_PRESENCE = (PresenceJoin, PresenceState, PresenceLeave)
_REQUESTS = (Authenticate, ModifyQuerySet, Mutation, Action, FetchArray, CancelFetch, Ping, ArrayFrame, *_PRESENCE)
_SENDS: dict[ClientState, dict[type, ClientState]] = {
    ClientState.NEW: {Connect: ClientState.EXPECT_WELCOME},
    ClientState.EXPECT_WELCOME: dict.fromkeys(_REQUESTS, ClientState.EXPECT_WELCOME),  # nobody waits for Welcome
    _OPEN: dict.fromkeys(_REQUESTS, _OPEN),
    _CLOSED: {},
}
_RECEIVES: dict[ClientState, dict[type, ClientState]] = {
    ClientState.NEW: {FatalError: _CLOSED},  # a server may be stopping, or tired of waiting for Connect
    ClientState.EXPECT_WELCOME: {Welcome: _OPEN, FatalError: _CLOSED},
    _OPEN: {
        **dict.fromkeys((Transition, MutationResponse, ActionResponse, Authenticated, AuthError), _OPEN),
        **dict.fromkeys((ArrayResponse, ArrayFrame, Pong, PresenceUpdate, PresenceEnded), _OPEN),
        FatalError: _CLOSED,
    },
    _CLOSED: {},
}


@dataclass(frozen=True, slots=True)
class Held:
    """A result that a client holds, and the journal that came with it."""

    value: Any
    journal: bytes | None = None


def _all(query_id: int) -> bool:
    return True


class ClientSession:
    """One connection as the client sees it.

    Args:
        session_id: 16 random bytes that outlive the connection; retried mutations are recognised by them.
        newest_ts: The instant of the results in ``held``.
        held: Results of an earlier connection by query id; ``modify`` offers them when such a query is added again.

    Attributes:
        state: Where it stands.
        ts: The instant of the results held; None before there are any.
        held: The results held, by query id.
        welcome: What the server said of itself.
    """

    def __init__(
        self,
        session_id: bytes,
        newest_ts: int | None = None,
        held: Mapping[int, Held] | None = None,
        *,
        limits: Limits = FROM_SERVER,
    ) -> None:
        self.session_id = session_id
        self.limits = limits
        self.state = ClientState.NEW
        self.ts = newest_ts
        self.held = dict(held or {})
        self.welcome: Welcome | None = None
        self._max_message_bytes = FROM_CLIENT.max_message_bytes
        self._transitions = 0
        self._queries: set[int] = set()
        self._removed: set[int] = set()
        self._current: set[int] = set()
        self._requests: dict[int, type] = {}
        self._downloads = Downloads(limits)
        self._rooms = Rooms()

    def resume(self, wanted: Callable[[int], bool] = _all) -> ClientSession:
        """Make the session of the next connection, which continues from what this one holds.

        Args:
            wanted: Tells by its id whether the result of a query is still of use.
        """
        return ClientSession(self.session_id, self.ts, self._held(wanted), limits=self.limits)

    def restart(self, wanted: Callable[[int], bool] = _all) -> ClientSession:
        """Make the session of the next connection after ``ResyncNeeded``: it starts at no instant.

        The results go along with their digests only, so that the server confirms or replaces all of them at one instant.
        """
        return ClientSession(self.session_id, None, self._held(wanted), limits=self.limits)

    def _held(self, wanted: Callable[[int], bool]) -> dict[int, Held]:
        return {query_id: result for query_id, result in self.held.items() if wanted(query_id)}

    def is_current(self, query_id: int) -> bool:
        """Whether the result held is that of ``ts``, not one of an earlier connection still to be confirmed."""
        return query_id in self._current

    def close(self) -> None:
        """The connection is gone."""
        self.state = _CLOSED

    # --- sending

    def connect(self, client: str = "") -> bytes:
        """Open the connection. ``client`` is a name and version for the server's logs."""
        return self._send(Connect(self.session_id, PROTOCOL_VERSION, self.ts, client))

    def authenticate(self, token: str | None) -> bytes:
        """Sign in with a token, or become anonymous."""
        return self._send(Authenticate(token))

    def modify(self, add: Iterable[QueryAdd] = (), remove: Iterable[int] = ()) -> bytes:
        """Subscribe to queries and leave others. Ids are new ones, or those of results held from before."""
        adds = tuple(self._offer(query) for query in add)
        removes = tuple(remove)
        self._check_ids([query.query_id for query in adds], removes)
        frame = self._send(ModifyQuerySet(adds, removes))
        for query_id in removes:
            self._forget(query_id)
        self._queries.update(query.query_id for query in adds)
        return frame

    def _offer(self, query: QueryAdd) -> QueryAdd:
        held = self.held.get(query.query_id)
        if held is None or query.digest is not None:
            return query
        return replace(query, digest=digest(held.value), journal=held.journal)

    def _check_ids(self, added: list[int], removed: tuple[int, ...]) -> None:
        if len(set(added)) != len(added) or not self._queries.union(self._removed).isdisjoint(added):
            raise SessionError("a query id is used twice")
        if len(set(removed)) != len(removed) or not self._queries.issuperset(removed):
            raise SessionError("a query is removed but not there")

    def _forget(self, query_id: int) -> None:
        self._queries.discard(query_id)
        self._current.discard(query_id)
        self.held.pop(query_id, None)
        self._removed.add(query_id)

    def mutation(
        self,
        request_id: int,
        path: str,
        args: dict[str, Any],
        *,
        retry: bool = False,
        issued_at: int | None = None,
        traceparent: str | None = None,
    ) -> bytes:
        """Run a mutation. ``retry``: it may have been sent before, on a connection that broke; ``issued_at``: when first."""
        return self._request(Mutation(request_id, path, args, retry, issued_at, traceparent))

    def action(self, request_id: int, path: str, args: dict[str, Any], traceparent: str | None = None) -> bytes:
        """Run an action."""
        return self._request(Action(request_id, path, args, traceparent))

    def fetch_array(
        self,
        request_id: int,
        query_id: int,
        array: bytes,
        start: int = 0,
        stop: int | None = None,
        points: int | None = None,
    ) -> bytes:
        """Ask for elements of the array with the digest ``array``, which the query ``query_id`` shows."""
        frame = self._request(FetchArray(request_id, query_id, array, start, stop, points))
        self._downloads.expect(request_id, array)
        return frame

    def cancel_fetch(self, request_id: int) -> bytes:
        """Give up a fetch; whatever still comes of it is ignored."""
        if self._requests.get(request_id) is not FetchArray:
            raise SessionError(f"no fetch {request_id}")
        frame = self._send(CancelFetch(request_id))
        del self._requests[request_id]
        self._downloads.cancel(request_id)
        return frame

    def fetched_so_far(self, request_id: int) -> memoryview:
        """Give the elements of a fetch that have arrived, so that the next connection need not ask for them again."""
        return self._downloads.received(request_id)

    def ping(self, nonce: int = 0) -> bytes:
        """Show that the client is there, and ask whether the server is."""
        return self._send(Ping(nonce))

    def join(self, room_id: int, path: str, args: dict[str, Any], state: Any = None) -> bytes:
        """Be present in the room of a query; rooms are numbered upwards."""
        self._rooms.check_new(room_id)
        frame = self._send(PresenceJoin(room_id, path, args, state))
        self._rooms.join(room_id)
        return frame

    def show(self, room_id: int, state: Any) -> bytes:
        """Have the others in a room see another state."""
        self._rooms.check_joined(room_id)
        return self._send(PresenceState(room_id, state))

    def leave(self, room_id: int) -> bytes:
        """Be no longer in a room; whatever still comes of it is ignored."""
        self._rooms.check_joined(room_id)
        frame = self._send(PresenceLeave(room_id))
        self._rooms.leave(room_id)
        return frame

    def upload(self, array: npt.NDArray[Any], ref: ArrayRef) -> Iterator[bytes]:
        """Give the frames that upload an array; other messages may be sent in between."""
        for frame in frames_of(array, ref):
            yield self.array_frame(frame)

    def array_frame(self, frame: ArrayFrame) -> bytes:
        """Send one frame of an upload."""
        self._check_sendable(ArrayFrame)
        return encode_frame(frame)

    def _request(self, message: Mutation | Action | FetchArray) -> bytes:
        if message.request_id in self._requests or self._downloads.is_cancelled(message.request_id):
            raise SessionError(f"request {message.request_id} has been sent")
        frame = self._send(message)
        self._requests[message.request_id] = type(message)
        return frame

    def _send(self, message: ClientMessage) -> bytes:
        state = self._check_sendable(type(message))
        frame = encode(message)
        if len(frame) > self._max_message_bytes:
            raise WireValueError(f"a message of {len(frame)} bytes; the server takes {self._max_message_bytes}")
        self.state = state
        return frame

    def _check_sendable(self, kind: type) -> ClientState:
        state = _SENDS[self.state].get(kind)
        if state is None:
            raise SessionError(f"{kind.__name__} cannot be sent in state {self.state.name}")
        return state

    # --- receiving

    def receive(self, frame: bytes | str) -> list[ClientEvent]:
        """Take one frame and give what it changed.

        Raises:
            ResyncNeeded: It does not continue what is held: close, and go on with ``restart()``.
            ProtocolError: The server broke the protocol: close with its close code.
        """
        try:
            return self._receive(frame)
        except ProtocolError:
            self.state = _CLOSED
            raise

    def _receive(self, frame: bytes | str) -> list[ClientEvent]:
        if not isinstance(frame, str) and is_array_frame(frame):
            self._check_expected(ArrayFrame)
            return self._receive_array(frame)
        message = decode_server(frame, self.limits)
        state = self._check_expected(type(message))
        events = self._take(message)
        self.state = state
        return events

    def _check_expected(self, kind: type) -> ClientState:
        state = _RECEIVES[self.state].get(kind)
        if state is None:
            raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, f"{kind.__name__} in state {self.state.name}")
        return state

    def _take(self, message: ServerMessage) -> list[ClientEvent]:
        if isinstance(message, Transition):
            return self._transition(message)
        if isinstance(message, (MutationResponse, ActionResponse)):
            self._answer(message.request_id, Mutation if isinstance(message, MutationResponse) else Action)
        elif isinstance(message, ArrayResponse):
            return self._array_response(message)
        elif isinstance(message, PresenceUpdate):
            return list(self._rooms.update(message))
        elif isinstance(message, PresenceEnded):
            return list(self._rooms.end(message))
        elif isinstance(message, Welcome):
            self._greet(message)
        return [message]

    def _greet(self, message: Welcome) -> None:
        if message.version != PROTOCOL_VERSION:
            raise ProtocolError(ErrorCode.UNSUPPORTED_VERSION, f"the server speaks version {message.version}")
        self.welcome = message
        self._max_message_bytes = message.max_message_bytes

    def _answer(self, request_id: int, kind: type) -> None:
        if self._requests.get(request_id) is not kind:
            raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, f"no {kind.__name__} {request_id} is under way")
        del self._requests[request_id]

    # --- arrays

    def _array_response(self, message: ArrayResponse) -> list[ClientEvent]:
        if self._downloads.is_cancelled(message.request_id):
            return []
        if message.request_id not in self._requests:
            raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, f"no FetchArray {message.request_id} is under way")
        events = self._downloads.begin(message)
        return self._finish_fetch(message.request_id, events)

    def _receive_array(self, frame: bytes) -> list[ClientEvent]:
        if len(frame) > self.limits.max_message_bytes:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"an array frame of {len(frame)} bytes")
        decoded = decode_frame(frame)
        return self._finish_fetch(decoded.stream, self._downloads.receive(decoded))

    def _finish_fetch(self, request_id: int, events: list[ClientEvent]) -> list[ClientEvent]:
        if not self._downloads.is_open(request_id):
            self._requests.pop(request_id, None)
        return events

    # --- transitions

    def _transition(self, message: Transition) -> list[ClientEvent]:
        """Apply a transition wholly or not at all."""
        self._check_continues(message)
        events: list[ClientEvent] = []
        held: dict[int, Held | None] = {}
        for update in message.updates:
            if self._is_wanted(update, held):
                event, held[update.query_id] = self._update(update, same_time=message.to_ts == message.from_ts)
                events.append(event)
        self._commit(message, held)
        changed = [e.query_id for e in events if not isinstance(e, QueryUpdated) or e.changed]  # type: ignore[union-attr]
        events.append(TransitionApplied(message.to_ts, frozenset(changed)))
        return events

    def _check_continues(self, message: Transition) -> None:
        if message.from_ts != (self.ts or 0) or message.to_ts < message.from_ts:
            raise ResyncNeeded(f"a transition from {message.from_ts} to {message.to_ts}; this is {self.ts}")
        if message.number not in (0, self._transitions + 1):
            raise ResyncNeeded(f"transition {message.number} after {self._transitions}")

    def _is_wanted(self, update: QueryUpdate, done: Mapping[int, Held | None]) -> bool:
        if update.query_id in done:
            raise ProtocolError(ErrorCode.BAD_MESSAGE, f"query {update.query_id} twice in a transition")
        if update.query_id in self._queries:
            return True
        if update.query_id in self._removed:  # the server had not heard of it yet
            return False
        raise ProtocolError(ErrorCode.BAD_MESSAGE, f"query {update.query_id} was never added")

    def _update(self, update: QueryUpdate, *, same_time: bool) -> tuple[ClientEvent, Held | None]:
        query_id = update.query_id
        if isinstance(update, QueryFailed):
            return QueryErrored(query_id, update.error), None
        if isinstance(update, QueryValue):
            return QueryUpdated(query_id, update.value), Held(update.value, update.journal)
        held = self.held.get(query_id)
        if held is None:
            raise ResyncNeeded(f"no result of query {query_id} is held")
        if isinstance(update, QueryUnchanged):
            return QueryUpdated(query_id, held.value, changed=False), held
        if same_time and query_id in self._current:
            raise ResyncNeeded(f"a patch of query {query_id} while time stood still")
        value = _patched(held.value, update)
        return QueryUpdated(query_id, value, patches=update.patches), Held(value, held.journal)

    def _commit(self, message: Transition, held: Mapping[int, Held | None]) -> None:
        for query_id, result in held.items():
            self._current.add(query_id)
            if result is None:
                self.held.pop(query_id, None)
            else:
                self.held[query_id] = result
        self.ts = message.to_ts
        self._transitions += 1


def _patched(value: Any, update: QueryPatch) -> Any:
    try:
        for patch in update.patches:
            value = apply(value, patch)
    except PatchError as error:
        raise ResyncNeeded(f"a patch of query {update.query_id} does not fit: {error}") from error
    return value
