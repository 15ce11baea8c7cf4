"""The client: what a program calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from synovia_client.address import beside_socket
from synovia_client.arguments import checked
from synovia_client.callbacks import Unsubscribe
from synovia_client.calls import ActionCall, MutationCall, QueryCall, spelled_out
from synovia_client.changes import QueryChange, Transition
from synovia_client.clock import Deadline
from synovia_client.downloads import Download, checked_part
from synovia_client.errors import (
    FunctionError,
)
from synovia_client.files import FileSource, FileUploads, UploadId
from synovia_client.hub_connection import HubConnection
from synovia_client.optimistic import Expectation, OptimisticUpdate
from synovia_client.pages import Pages, PaginatedSubscription
from synovia_client.presence import Presence, Room
from synovia_client.requests import Kind
from synovia_client.settings import DEFAULT, TimeLimit
from synovia_client.shared_docs import SharedDoc
from synovia_client.subscription import Subscription
from synovia_client.sync_state import not_signed_in
from synovia_client.uploads import Array, Progress, Upload, prepare
from synovia_client.view import Shown
from synovia_protocol.errors import ErrorCode
from synovia_protocol.messages import ArrayRef

if TYPE_CHECKING:
    from pycrdt import Doc

R = TypeVar("R")


class Client(HubConnection):
    """A connection to a hub that keeps itself up.

    ``async with Client(url) as client`` connects in the background; every call waits for the connection by itself.

    Args:
        url: ``ws://HOST:PORT`` or ``wss://HOST``; the path ``/sync`` is added when there is none.
        token: What to sign in with: a token, a coroutine function that gives one (asked on every connection, and when the
            server says that the token has expired), or None for anonymous. It never appears in an address.
        timeouts: How long to wait for what.
        backoff: How long to wait before connecting again.
        session_id: 16 bytes under which the server knows this client's mutations; random by default. Who passes the id of an
            earlier client also passes its ``next_request`` as ``first_request``, or the server takes new mutations for old.
        tokens: Where tokens that the server gives are kept over a restart; as long as no ``token`` is given, what is there
            signs in.
        outbox: A file in which mutations are kept until they are answered, so that they outlive the program; see
            docs/python-client.md. It holds the session's id and numbers as well.
        on_recovered: Called with the outcome (``Recovered``) of each mutation in the outbox that nobody waits for any more.
        ssl: A TLS context for ``wss``; the system's default otherwise.
        proxy: The address of a proxy, True for the system's settings, None for none.
        max_frame_bytes: The largest frame to accept.
        clock, random: Where time and chance come from; for tests.

    Raises:
        ValueError: ``url`` or a setting is not usable.
        OutboxError: The outbox file is not; another process may have it open.
    """

    # --- queries

    @overload
    def subscribe(self, call: QueryCall[R], /) -> Subscription[R]: ...
    @overload
    def subscribe(self, path: str, args: dict[str, Any] | None = None) -> Subscription[Any]: ...
    def subscribe(self, path: str | QueryCall[R], args: dict[str, Any] | None = None) -> Subscription[Any]:
        """Keep a query up to date; see ``Subscription`` for how to look at it.

        Raises:
            FunctionError: ``invalid_arguments``: the arguments cannot be sent.
        """
        path, args = spelled_out(path, args, "query")
        wire, sync = self._checked(path, args), self._sync
        return Subscription(lambda: sync.hold(path, wire), sync.release, self._ended, path, self._first_value_limit)

    def subscribe_pages(
        self, path: str, args: dict[str, Any] | None = None, *, page_size: int, size_name: str = "limit"
    ) -> PaginatedSubscription[list[Any]]:
        """Keep a list up to date page by page: every page is live, and pages neither overlap nor leave a gap.

        Args:
            path: A query that takes ``cursor`` and ``limit`` and gives a page.
            page_size: Items of a page when it is first read.
            size_name: The argument of the query that says so.

        Raises:
            FunctionError: ``invalid_arguments``: the arguments cannot be sent.
        """
        wire = self._checked(path, {} if args is None else args)
        self._checked(path, {**wire, size_name: page_size})

        def make() -> Pages:
            return Pages(self._sync, path, wire, page_size, size_name)

        return PaginatedSubscription(make, self._ended, path, self._first_value_limit)

    def _first_value_limit(self) -> Deadline:
        return self._clock.deadline(self._timeouts.request)

    def on_transition(self, callback: Callable[[Transition], object]) -> Unsubscribe:
        """Be told once of everything that changes together, with the exact edits of each query.

        It is called after all of it is in place; ``subscription.value`` is that of the same instant everywhere.
        """

        def told(shown: Shown) -> None:
            changes = [QueryChange(q.path, q.args, change) for q, change in shown.changes.items() if not q.once]
            if changes:
                callback(Transition(shown.ts, tuple(changes)))

        return self._sync.view.told.add(told)

    @overload
    def presence(self, call: QueryCall[Any], /, *, state: Any = None) -> Presence: ...
    @overload
    def presence(self, path: str, args: dict[str, Any] | None = None, *, state: Any = None) -> Presence: ...
    def presence(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *, state: Any = None
    ) -> Presence:
        """Be in the room of a query (``@query(presence=True)``), and see who else is; see ``Presence``.

        Args:
            state: What the others see of this client, beside what the query says: a small wire value, at most 4 KiB.

        Raises:
            FunctionError: ``invalid_arguments``: the arguments or the state cannot be sent.
        """
        path, args = spelled_out(path, args, "query")
        wire = self._checked(path, {"args": args, "state": state})
        return Presence(Room(path, wire["args"], wire["state"]), self._sync.rooms, self._ended, self._first_value_limit)

    def shared_doc(
        self, query: str, mutation: str, args: dict[str, Any] | None = None, *, doc: Doc[Any] | None = None
    ) -> SharedDoc:
        """Open a document that several people edit at once; see ``SharedDoc``. It needs the extra ``shared``.

        Args:
            query: The path of the query that returns ``ctx.shared.changes(doc, ..., since)``.
            mutation: The path of the mutation that calls ``ctx.shared.append(doc, ..., update)``.
            args: The arguments of both that say which document it is.
            doc: One of pycrdt that is there already.

        Raises:
            FunctionError: ``invalid_arguments``: the arguments cannot be sent.
            ImportError: pycrdt is not installed.
        """
        return SharedDoc(self, query, mutation, self._checked(query, args or {}), doc)

    @overload
    async def query(self, call: QueryCall[R], /, *, timeout: TimeLimit = DEFAULT) -> R: ...
    @overload
    async def query(self, path: str, args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT) -> Any: ...
    async def query(
        self, path: str | QueryCall[Any], args: dict[str, Any] | None = None, *, timeout: TimeLimit = DEFAULT
    ) -> Any:
        """Run a query once and give its result: it holds everything that was acknowledged to anybody before this call.

        Raises:
            FunctionError: The query failed.
            RequestTimeout: No result within ``timeout`` seconds.
        """
        self._check_running()
        path, args = spelled_out(path, args, "query")
        query = self._sync.ask(path, self._checked(path, args))
        try:
            async with self._limit(timeout, f"the query {path}"):
                while not query.confirmed:
                    await query.heard.after(query.heard.count)
                    self._check_running()
        finally:
            self._sync.release(query)
        if query.newest.error is not None:
            raise query.newest.error.again()
        return query.newest.value

    # --- mutations and actions

    @overload
    async def mutation(
        self,
        call: MutationCall[R],
        /,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> R: ...
    @overload
    async def mutation(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Any: ...
    async def mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
        optimistic_update: OptimisticUpdate | None = None,
    ) -> Any:
        """Run a mutation exactly once, whatever happens to the connection, and give its result.

        Args:
            args: Wire values, and numpy arrays anywhere among them.
            timeout: Seconds without an answer, or progress of an upload, after which to give up; the mutation may still run.
            on_progress: Called with (bytes sent, bytes in total) while arrays are uploaded.
            optimistic_update: Shows what is expected of the mutation at once, until its effect is there or it has failed.

        Raises:
            FunctionError: The mutation failed and changed nothing.
            RequestTimeout: No answer in time.
        """
        path, args = spelled_out(path, args, "mutation")
        expected = None if optimistic_update is None else Expectation(optimistic_update, args)
        return await self._request("mutation", path, args, timeout, on_progress, expected)

    @overload
    async def action(
        self, call: ActionCall[R], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> R: ...
    @overload
    async def action(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any: ...
    async def action(
        self,
        path: str | ActionCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any:
        """Run an action at most once and give its result; arguments and errors as for ``mutation``.

        Raises:
            ConnectionLost: The connection broke while it was in flight; it may have run.
        """
        return await self._request("action", *spelled_out(path, args, "action"), timeout, on_progress)

    async def _request(
        self,
        kind: Kind,
        path: str,
        args: dict[str, Any],
        timeout: TimeLimit,
        on_progress: Progress | None,
        expected: Expectation | None = None,
    ) -> Any:
        self._check_running()
        if expected is None:
            return await self._run_request(kind, path, args, timeout, on_progress, None)
        self._sync.view.add(expected)
        try:
            return await self._run_request(kind, path, args, timeout, on_progress, expected)
        except BaseException:
            self._sync.view.drop(expected)
            raise

    async def _run_request(
        self,
        kind: Kind,
        path: str,
        args: dict[str, Any],
        timeout: TimeLimit,
        on_progress: Progress | None,
        expected: Expectation | None,
    ) -> Any:
        needs_sign_in = self._credentials.signs_in
        async with self._limit(timeout, f"the {kind} {path}") as deadline:
            wire, arrays = await prepare(args)
            self._check_running()
            upload = Upload(arrays, on_progress, deadline.extend) if arrays else None
            uploaded = {ref.digest for ref, _ in arrays}
            wire = self._checked(path, wire)
            needs_sign_in = self._credentials.signs_in_still(needs_sign_in)
            if needs_sign_in and self._credentials.signs_in is False and (self._recovery is None or kind == "action"):
                raise not_signed_in(kind, path)
            with self._sync.request(
                kind, path, wire, upload, uploaded, needs_sign_in=needs_sign_in, expected=expected
            ) as request:
                if self._recovery is not None and request.kept:
                    return await self._recovery.keep(request, arrays)
                return await request.answer

    def _checked(self, path: str, args: dict[str, Any]) -> dict[str, Any]:
        return checked(path, args, self._sync.max_message_bytes)

    # --- files

    async def upload_file(
        self,
        path: str,
        source: FileSource,
        *,
        name: str | None = None,
        type: str | None = None,
        argument: str | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> UploadId:
        """Upload a file for a function that takes one, and give what is sent to it as that argument.

        What has arrived stays there when the line breaks: the rest is sent once the hub is there again. Cancelling the task
        that awaits this gives the upload up.

        Args:
            path: The mutation or action.
            source: The path of a file, bytes, or an open binary file that can be read from any place.
            name: What to call it; by default as the file is called.
            type: Its media type; by default what its name suggests.
            argument: Which of the function's arguments, on the wire, if it takes several files.
            timeout: Seconds without progress after which to give up.
            on_progress: Called with (bytes sent, bytes in total).

        Raises:
            FunctionError: The file is not taken: ``file_too_large``, ``file_type_refused``, or what calls are refused with.
            RequestTimeout: No progress in time.
            OSError, ValueError: The file cannot be read.
        """
        self._check_running()
        async with self._limit(timeout, f"the upload for {path}") as deadline:
            await self._settled_token()
            uploads = FileUploads(
                url=self.url, http=self._dialer.http, clock=self._clock, bearer=self._credentials.bearer
            )
            return await uploads.upload(
                path, source, name=name, type=type, argument=argument, on_progress=on_progress, deadline=deadline
            )

    async def _settled_token(self) -> None:
        """Wait until the server has looked at the token: it may give one of its own for it, which HTTP takes too."""
        while self.auth.is_loading:
            await self._credentials.changed.after(self._credentials.changed.count)
            self._check_running()

    def file_url(self, address: str) -> str:
        """Make an address of a file that a query has given (``ctx.files.url``) a whole one."""
        return beside_socket(self.url, address)

    # --- arrays

    async def array(
        self,
        ref: ArrayRef,
        start: int = 0,
        stop: int | None = None,
        *,
        points: int | None = None,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Array:
        """Fetch an array that a query of this client shows or has shown; copy it before writing to it.

        Args:
            ref: The reference, from a result.
            start, stop: The range of elements wanted, counted row-major; ``stop`` None is the end.
            points: Thin to this many points at most: ``points // 2`` buckets, each its minimum and its maximum.
            timeout: Seconds without progress after which to give up.
            on_progress: Called with (bytes received, bytes in total).

        Returns:
            The whole array with its shape; a range as one dimension; thinned as ``(buckets, 2)``.

        Raises:
            FunctionError: ``array_not_found``, ``bad_range``, or whatever the query that shows it fails with.
        """
        self._check_running()
        part = checked_part(ref, start, stop, points)
        with self._sync.showing(ref.digest) as query:
            if query is None:
                raise FunctionError(ErrorCode.ARRAY_NOT_FOUND, "no query of this client has shown this array")
            async with self._limit(timeout, "the array") as deadline:
                with self._sync.download(Download(query, ref, part, on_progress, deadline.extend)) as download:
                    return await download.answer
