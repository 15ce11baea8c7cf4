"""The state that outlives connections: what is to be sent, in which order, and where the answers go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Protocol

from synovia_client.array_origins import ArrayOrigins
from synovia_client.clock import Clock
from synovia_client.downloads import Download, Downloads
from synovia_client.errors import FunctionError, SynoviaError
from synovia_client.queries import LiveQuery, QuerySet
from synovia_client.requests import Kind, Request, RequestNumbers, Requests
from synovia_client.server_time import ServerTime
from synovia_client.uploads import Upload
from synovia_protocol.codec import FROM_CLIENT
from synovia_protocol.errors import WireValueError
from synovia_protocol.messages import ActionResponse, ArrayResponse, MutationResponse, QueryAdd
from synovia_protocol.references import digests_in
from synovia_protocol.sessions import (
    ArrayChunk,
    ArrayFetched,
    ClientSession,
    QueryErrored,
    QueryUpdated,
    TransitionApplied,
)

_ROOM = FROM_CLIENT.max_elements * 9 // 10  # a message of fewer bytes than a server takes elements has not too many


class RequestKeeper(Protocol):
    """Keeps mutations where they outlive the program."""

    def welcomed(self) -> None:
        """Take note that there is a connection, and that the server's time is known."""
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
        clock: For the server's time.
        first_request: The number of the first request.

    Attributes:
        ready: Set when ``next_frame`` may have something.
    """

    def __init__(self, clock: Clock, first_request: int = 1) -> None:
        self.ready = asyncio.Event()
        self.time = ServerTime(clock)
        self.numbers = RequestNumbers(first_request)
        self.queries = QuerySet()
        self.array_origins = ArrayOrigins()
        self.requests = Requests(self.numbers)
        self.downloads = Downloads(self.numbers)
        self.outbox: RequestKeeper | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            QueryUpdated: self._updated,
            QueryErrored: self._errored,
            TransitionApplied: self._applied,
            MutationResponse: self._answered,
            ActionResponse: self._answered,
            ArrayResponse: self.downloads.respond,
            ArrayChunk: self.downloads.receive,
            ArrayFetched: self.downloads.finish,
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
        self, kind: Kind, path: str, args: dict[str, Any], upload: Upload | None, uploaded: set[bytes]
    ) -> Iterator[Request]:
        """Run a request as long as somebody waits for it; arrays it only refers to are kept shown meanwhile."""
        with ExitStack() as stack:
            shown = [stack.enter_context(self.showing(digest)) for digest in set(digests_in(args)) - uploaded]
            request = self.requests.add(kind, path, args, upload, [query for query in shown if query is not None])
            request.kept = kind == "mutation" and self.outbox is not None
            request.stored = not request.kept
            self.ready.set()
            try:
                yield request
            finally:
                if not request.kept:
                    self.requests.drop(request)
                self.ready.set()

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
            return session.modify([QueryAdd(q.query_id, q.path, q.args) for q in added], removed)
        except WireValueError as error:  # one query alone is larger than the server takes
            self.queries.refuse(added[0], FunctionError("too_large", str(error)))
            return session.modify((), removed) if removed else None

    def next_frame(self, session: ClientSession) -> Outgoing | None:
        """Give what goes out next, once the server has welcomed us; None when there is nothing."""
        return (
            self.next_query_set(session)
            or self._next_cancel(session)
            or self._next_request(session)
            or self._next_fetch(session)
            or self._next_array_frame()
        )

    def _next_cancel(self, session: ClientSession) -> Outgoing | None:
        request_id = self.downloads.next_cancelled()
        return None if request_id is None else Outgoing(session.cancel_fetch(request_id))

    def _next_fetch(self, session: ClientSession) -> Outgoing | None:
        fetch = self.downloads.next_fetch()
        return None if fetch is None else Outgoing(session.fetch_array(*fetch))

    def _next_request(self, session: ClientSession) -> Outgoing | None:
        while (request := self.requests.next_message()) is not None:
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
        self.ready.set()

    def _updated(self, event: QueryUpdated) -> None:
        query = self.queries.get(event.query_id)
        if query is not None and event.changed:
            query.succeed(event.value)
        elif query is not None:
            query.confirm()

    def _errored(self, event: QueryErrored) -> None:
        query = self.queries.get(event.query_id)
        if query is not None:
            query.fail(FunctionError.of(event.error))

    def _applied(self, event: TransitionApplied) -> None:
        for query_id in event.changed:
            query = self.queries.get(query_id)
            if query is not None:
                query.wake()

    def _answered(self, response: MutationResponse | ActionResponse) -> None:
        request = self.requests.answered(response.request_id)
        if request is None:
            return
        error = None if response.error is None else FunctionError.of(response.error)
        self._settle(request, response.result, error)

    def _settle(self, request: Request, result: Any, error: FunctionError | None) -> None:
        if self.outbox is not None and request.kept:
            self.outbox.answered(request, result, error)
        elif error is not None:
            request.fail(error)
        else:
            request.succeed(result)

    # --- connections come and go

    def welcomed(self) -> None:
        """The server has welcomed us and told its time."""
        if self.outbox is not None:
            self.outbox.welcomed()

    def disconnected(self, session: ClientSession) -> None:
        """The connection is gone: what can be sent again gets ready for that, the rest fails."""
        self._forget_released()
        self.queries.disconnected()
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

    def end(self, error: Callable[[], SynoviaError]) -> None:
        """Nothing will be sent any more: everyone who waits gets an error of their own."""
        self.requests.fail_all(error)
        self.downloads.fail_all(error)
        self.queries.wake_all()


def _encode(request: Request, session: ClientSession) -> bytes:
    if request.kind == "action":
        return session.action(request.request_id, request.path, request.args)
    issued_at = request.issued_at if request.tried else None
    return session.mutation(request.request_id, request.path, request.args, retry=request.tried, issued_at=issued_at)
