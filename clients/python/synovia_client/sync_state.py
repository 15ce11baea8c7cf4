"""The state that outlives connections: what is to be sent, in which order, and where the answers go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Protocol

from synovia_client.array_origins import ArrayOrigins
from synovia_client.clock import Clock
from synovia_client.downloads import Download, Downloads
from synovia_client.errors import ConnectionLost, FunctionError, SynoviaError
from synovia_client.optimistic import Expectation
from synovia_client.presence import Rooms
from synovia_client.queries import LiveQuery, QuerySet
from synovia_client.requests import Kind, Request, RequestNumbers, Requests
from synovia_client.server_time import ServerTime
from synovia_client.settings import Timeouts
from synovia_client.throttle import LEAST_WAIT, Throttle, seconds_to_wait
from synovia_client.trace_context import traceparent
from synovia_client.uploads import Upload
from synovia_client.view import View
from synovia_protocol.codec import FROM_CLIENT
from synovia_protocol.errors import ErrorCode, ErrorInfo, WireValueError
from synovia_protocol.messages import (
    ActionResponse,
    ArrayResponse,
    MutationResponse,
    PresenceEnded,
    QueryAdd,
    Welcome,
)
from synovia_protocol.references import digests_in
from synovia_protocol.sessions import (
    ArrayChunk,
    ArrayFetched,
    ClientSession,
    PresenceUpdated,
    QueryErrored,
    QueryUpdated,
    TransitionApplied,
)

_UNREADABLE = frozenset(
    {
        ErrorCode.BAD_FRAME,
        ErrorCode.BAD_MESSAGE,
        ErrorCode.TOO_LARGE,
        ErrorCode.BAD_ARRAY_FRAME,
        ErrorCode.ARRAY_MISORDERED,
        ErrorCode.ARRAY_DIGEST_MISMATCH,
    }
)
"""A server that ends the connection with one of these would do so again, for the same message."""

_MOST_BETWEEN = 1.0
"""Seconds between two attempts of a request at most, however often a server has not run it."""

_ROOM = FROM_CLIENT.max_elements * 9 // 10  # a message of fewer bytes than a server takes elements has not too many


class RequestKeeper(Protocol):
    """Keeps mutations where they outlive the program."""

    def connected(self) -> None:
        """Take note that there is a connection that takes requests."""
        ...

    def disconnected(self) -> None:
        """Take note that there is none any more."""
        ...

    def answered(self, request: Request, result: Any, error: FunctionError | None) -> None:
        """Forget a mutation that was answered, and give its caller the answer."""
        ...


class Outgoing(NamedTuple):
    """A frame to send, what to call when the socket has taken it, and whether it is an array frame."""

    frame: bytes
    taken: Callable[[], None] | None = None
    samples: bool = False


class SyncState:
    """The query set, unanswered requests and array transfers of a client.

    The socket asks ``next_frame`` whenever it can take one: that is the whole send queue. Messages come before array
    frames, and what was dropped or changed in the meantime costs nothing.

    Args:
        clock: For the server's time, and what is held back.
        timeouts: For how long that is.
        first_request: The number of the first request.

    Attributes:
        ready: Set when ``next_frame`` may have something.
        epoch: The number of the present connection, from when it takes requests; None while there is none.
        max_message_bytes: How long a message may be, by what the server has said last.
    """

    def __init__(self, clock: Clock, timeouts: Timeouts, first_request: int = 1) -> None:
        self.ready = asyncio.Event()
        self.time = ServerTime(clock)
        self.numbers = RequestNumbers(first_request)
        self.queries = QuerySet()
        self.view = View(self.queries, clock, timeouts)
        self.array_origins = ArrayOrigins()
        self.requests = Requests(self.numbers)
        self.downloads = Downloads(self.numbers)
        self.throttle = Throttle(clock, self.ready.set)
        self.rooms = Rooms(clock, self.throttle, self.ready.set)
        self.epoch: int | None = None
        self.max_message_bytes = FROM_CLIENT.max_message_bytes
        self._epochs = 0
        self.outbox: RequestKeeper | None = None
        self._heard: list[LiveQuery] = []
        self._expected: dict[Request, Expectation] = {}
        self._handlers: dict[type, Callable[[Any], None]] = {
            QueryUpdated: self._updated,
            QueryErrored: self._errored,
            TransitionApplied: self._applied,
            MutationResponse: self._answered,
            ActionResponse: self._answered,
            ArrayResponse: self._announced,
            ArrayChunk: self.downloads.receive,
            ArrayFetched: self.downloads.finish,
            PresenceUpdated: self.rooms.updated,
            PresenceEnded: self.rooms.ended,
        }

    # --- what the program asks for

    def hold(self, path: str, args: dict[str, Any]) -> LiveQuery:
        """Hold a query; see ``QuerySet.hold``."""
        query = self.queries.hold(path, args)
        self.ready.set()
        return query

    def ask(self, path: str, args: dict[str, Any]) -> LiveQuery:
        """Hold a query that is asked once, now; see ``QuerySet.ask``."""
        query = self.queries.ask(path, args)
        self.ready.set()
        return query

    def release(self, query: LiveQuery) -> None:
        """Give up one hold of a query."""
        self.queries.release(query)
        self.ready.set()

    @contextmanager
    def showing(self, digest: bytes) -> Iterator[LiveQuery | None]:
        """Hold the query that shows, or last showed, an array; None if there was none."""
        origin = self.array_origins.find(digest, self.queries)
        if origin is None:
            yield None
            return
        query = self.hold(*origin)
        try:
            yield query
        finally:
            self.release(query)

    @contextmanager
    def download(self, download: Download) -> Iterator[Download]:
        """Run a download as long as somebody waits for it."""
        self.downloads.add(download)
        self.ready.set()
        try:
            yield download
        finally:
            self.downloads.drop(download)
            self.ready.set()

    @contextmanager
    def request(
        self,
        kind: Kind,
        path: str,
        args: dict[str, Any],
        upload: Upload | None,
        uploaded: set[bytes],
        *,
        needs_sign_in: bool | None,
        expected: Expectation | None = None,
    ) -> Iterator[Request]:
        """Run a request as long as somebody waits for it; arrays it only refers to are kept shown meanwhile."""
        with ExitStack() as stack:
            shown = [stack.enter_context(self.showing(digest)) for digest in set(digests_in(args)) - uploaded]
            needs = [query for query in shown if query is not None]
            request = self.requests.add(kind, path, args, upload, needs, needs_sign_in=needs_sign_in)
            request.kept = kind == "mutation" and self.outbox is not None
            request.stored = not request.kept
            request.traceparent = traceparent()
            self._expect(request, expected)
            self.ready.set()
            try:
                yield request
            finally:
                self._expected.pop(request, None)
                if not request.kept:
                    self.requests.drop(request)
                self.ready.set()

    def _expect(self, request: Request, expected: Expectation | None) -> None:
        if expected is not None:
            expected.request = request
            self._expected[request] = expected

    # --- what goes out

    def next_query_set(self, session: ClientSession) -> Outgoing | None:
        """Give the next change of the query set, if there is one."""
        while self.queries.stale:
            self._forget_released()
            frame = self._modify(session)
            if frame is not None:
                return Outgoing(frame)
        return None

    def _modify(self, session: ClientSession) -> bytes | None:
        room = min(session.welcome.max_message_bytes // 2 if session.welcome else _ROOM, _ROOM)
        added, removed = self.queries.difference(room)
        if not added and not removed:
            return None
        try:
            return session.modify(
                [QueryAdd(q.query_id, q.path, q.args, traceparent=q.traceparent) for q in added], removed
            )
        except WireValueError as error:  # one query alone is larger than the server takes
            self._refuse(added[0], FunctionError("too_large", str(error)))
            return session.modify((), removed) if removed else None

    def _refuse(self, query: LiveQuery, error: FunctionError) -> None:
        self.queries.refuse(query, error)
        self.view.mark(query)
        self.view.look()
        query.heard.bump()

    def next_frame(self, session: ClientSession) -> Outgoing | None:
        """Give what goes out next, once the server has welcomed us; None when there is nothing."""
        return (
            self.next_query_set(session)
            or self._next_presence(session)
            or self._next_cancel(session)
            or self._next_request(session)
            or self._next_fetch(session)
            or self._next_array_frame()
        )

    def _next_presence(self, session: ClientSession) -> Outgoing | None:
        frame = self.rooms.next_frame(session)
        return None if frame is None else Outgoing(frame)

    def _next_cancel(self, session: ClientSession) -> Outgoing | None:
        request_id = self.downloads.next_cancelled()
        return None if request_id is None else Outgoing(session.cancel_fetch(request_id))

    def _next_fetch(self, session: ClientSession) -> Outgoing | None:
        fetch = self.downloads.next_fetch() if self._may_call else None
        return None if fetch is None else Outgoing(session.fetch_array(*fetch))

    def _next_request(self, session: ClientSession) -> Outgoing | None:
        while (request := self.requests.next_message(actions=self._may_call)) is not None:
            try:
                frame = _encode(request, session)
            except WireValueError as error:
                self.requests.drop(request)
                self._settle(request, None, FunctionError("too_large", str(error)))
            else:
                if request.issued_at is None:
                    request.issued_at = self.time.now()
                self.requests.sending(request)
                return Outgoing(frame)
        return None

    @property
    def _may_call(self) -> bool:
        """Whether an action or a fetch may go; mutations wait at the server."""
        return self.throttle.admits(self.requests.actions_in_flight + self.downloads.running)

    def _next_array_frame(self) -> Outgoing | None:
        upload = self.requests.next_upload()
        if upload is None:
            return None
        size, frame = upload.take()
        return Outgoing(frame, lambda: upload.sent(size), samples=True)

    # --- what comes in

    def receive(self, events: list[Any]) -> None:
        """Take what the session made of a frame; events that belong to the connection itself are passed over."""
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)
        if not events or any(type(event) is not ArrayChunk for event in events):  # a part of an array lets nothing go
            self.ready.set()

    def _updated(self, event: QueryUpdated) -> None:
        query = self.queries.get(event.query_id)
        if query is None:
            return
        if event.changed or query.newest.error is not None:
            query.succeed(event.value, event.patches)
            self.view.mark(query)
        query.confirmed = True
        self._heard.append(query)

    def _errored(self, event: QueryErrored) -> None:
        query = self.queries.get(event.query_id)
        if query is not None:
            query.fail(FunctionError.of(event.error))
            self.view.mark(query)
            self._heard.append(query)

    def _applied(self, event: TransitionApplied) -> None:
        heard, self._heard = self._heard, []
        self.view.applied(event.ts)
        for query in heard:
            query.heard.bump()

    def _answered(self, response: MutationResponse | ActionResponse) -> None:
        request = self.requests.answered(response.request_id)
        again = isinstance(response, ActionResponse) and self.throttle.refused(response.error)
        if request is None:
            return
        if again and not request.given_up:
            self.requests.postpone(request)
            return
        if isinstance(response, MutationResponse) and self._comes_later(request, response.error):
            return
        if _came_too_late(response.error):
            self._not_run(request)
            return
        if response.error is not None:
            self._settle(request, None, FunctionError.of(response.error))
            return
        ts = response.ts if isinstance(response, MutationResponse) else None
        self._succeeded(request, ts, response.result)

    def _comes_later(self, request: Request, error: ErrorInfo | None) -> bool:
        """Send a mutation again that was refused by a limit of the application, once it has waited as long as it was told.

        Others go on meanwhile. One that is kept in the outbox is told of the error: its number there stands for one attempt.
        """
        seconds = seconds_to_wait(error)
        if seconds is None or request.kept or request.given_up:
            return False

        request.tried, request.issued_at = False, None
        self.requests.postpone(request)
        self._hold_back(request, seconds)
        return True

    def _hold_back(self, request: Request, seconds: float) -> None:
        def go() -> None:
            request.postponed = False
            self.ready.set()

        request.postponed = True
        self.throttle.after(seconds, go)

    def _succeeded(self, request: Request, ts: int | None, result: Any) -> None:
        """The caller has the answer when its effects are shown."""

        def settle() -> None:
            self._settle(request, result, None)

        if request.kind == "mutation":
            self.view.answered(self._expected.pop(request, None), ts, settle)
        else:
            self.view.afterwards(settle)

    def _not_run(self, request: Request) -> None:
        """The sign-in had ended when the request arrived: it waits for the next one, or fails if there is none to come."""
        if self.requests.signed_in or request.kept or not request.needs_sign_in:
            request.too_late += 1
            if request.too_late > 1:  # a server that says so each time is wrong: it is asked less and less often
                self._hold_back(request, min(LEAST_WAIT * 2 ** min(request.too_late, 10), _MOST_BETWEEN))
            self.requests.take_in(request)
        else:
            request.tried = False
            request.fail(_not_signed_in(request))

    def _announced(self, response: ArrayResponse) -> None:
        if self.throttle.refused(response.error):
            self.downloads.postpone(response.request_id)
        else:
            self.downloads.respond(response)

    def _settle(self, request: Request, result: Any, error: FunctionError | None) -> None:
        if self.outbox is not None and request.kept:
            self.outbox.answered(request, result, error)
        elif error is not None:
            request.fail(error)
        else:
            request.succeed(result)

    # --- connections come and go

    def welcomed(self, welcome: Welcome) -> None:
        """Take what the server says of itself."""
        self.time.learn(welcome.server_time)
        self.max_message_bytes = welcome.max_message_bytes
        self.view.connected()

    def identified(self, *, signed_in: bool, refused: bool = False) -> None:
        """It is settled whether the connection is signed in: requests may go; those that need that fail if it is not.

        Args:
            refused: It is not, because the server has refused the token.
        """
        self.requests.identified(signed_in=signed_in, refused=refused)
        if not signed_in:
            for request in self.requests.take_needing_sign_in():
                request.fail(_not_signed_in(request))
        if self.epoch is None:
            self._epochs += 1
            self.epoch = self._epochs
        if self.outbox is not None:
            self.outbox.connected()
        self.rooms.identified()
        self.ready.set()

    def isolate(self, error: ErrorInfo) -> bool:
        """Look for the mutation in the outbox that the server refuses to read, so that it does not hold up the others.

        Returns:
            Whether to connect again: one was found and has failed, or the next connection will tell which it is.
        """
        suspects = self.requests.suspects() if error.code in _UNREADABLE else []
        if len(suspects) == 1:
            self.requests.remove(suspects[0])
            self._settle(suspects[0], None, FunctionError.of(error))
        self.requests.one_by_one = len(suspects) > 1
        return bool(suspects)

    def disconnected(self, session: ClientSession) -> None:
        """The connection is gone: what can be sent again gets ready for that, the rest fails."""
        self.epoch = None
        self.requests.signed_in = False
        if self.outbox is not None:
            self.outbox.disconnected()
        self._heard = []
        self._forget_released()
        self.view.disconnected()
        self.queries.disconnected()
        self.rooms.disconnected()
        self.requests.disconnected()
        self.downloads.disconnected(session.fetched_so_far)

    def next_session(self, old: ClientSession, *, resync: bool) -> ClientSession:
        """Make the session of the next connection, with the results still wanted; after a resync without their ts."""
        return old.restart(self._is_wanted) if resync else old.resume(self._is_wanted)

    def _is_wanted(self, query_id: int) -> bool:
        return self.queries.get(query_id) is not None

    def _forget_released(self) -> None:
        for released in self.queries.forget_released():
            self.array_origins.note(released)
            self.view.forget(released)

    def end(self, error: Callable[[], SynoviaError]) -> None:
        """Nothing will be sent any more: everyone who waits gets an error of their own."""
        self.throttle.close()
        self.requests.fail_all(error)
        self.downloads.fail_all(error)
        self.view.close()
        self.queries.wake_all()
        self.rooms.wake_all()


def _came_too_late(error: ErrorInfo | None) -> bool:
    """Tell whether a server has not run a request because the sign-in had ended, by itself or by a refused token."""
    return error is not None and isinstance(error.data, dict) and error.data.get("signedOut") is True


def not_signed_in(kind: Kind, path: str) -> FunctionError:
    """Make the error of a request whose caller has been signed out before it was sent."""
    text = f"the {kind} {path} was made as somebody who is not signed in any more: it was not run"
    return FunctionError(ErrorCode.UNAUTHENTICATED, text)


def _not_signed_in(request: Request) -> SynoviaError:
    if request.tried:
        text = "was in flight when the connection broke, and whom it was made as is not signed in any more"
        return ConnectionLost(f"the {request.kind} {request.path} {text}: it is not known whether it ran")
    return not_signed_in(request.kind, request.path)


def _encode(request: Request, session: ClientSession) -> bytes:
    if request.kind == "action":
        return session.action(request.request_id, request.path, request.args, request.traceparent)
    issued_at = request.issued_at if request.tried else None
    return session.mutation(
        request.request_id, request.path, request.args,
        retry=request.tried, issued_at=issued_at, traceparent=request.traceparent,
    )  # fmt: skip
