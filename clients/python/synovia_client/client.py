"""The client: what a program calls."""

from __future__ import annotations

import asyncio
import logging
import os
import random as random_module
import ssl as ssl_module
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import index
from typing import Any, Literal, Self, TypeVar, overload

from synovia_client.address import socket_url
from synovia_client.arguments import checked
from synovia_client.backoff import Backoff
from synovia_client.calls import ActionCall, MutationCall, QueryCall, spelled_out
from synovia_client.clock import Clock, Deadline, LoopClock
from synovia_client.credentials import Credentials, Token
from synovia_client.dialer import Dialer
from synovia_client.downloads import Download, Part
from synovia_client.errors import (
    AuthenticationError,
    ClientClosed,
    ConnectionFailed,
    FunctionError,
    RequestTimeout,
    SynoviaError,
)
from synovia_client.loop import ConnectionLoop
from synovia_client.outbox import Outbox
from synovia_client.outbox_recovery import OnRecovered, OutboxRecovery
from synovia_client.reconnection import Reconnection
from synovia_client.requests import Kind
from synovia_client.settings import DEFAULT, TimeLimit, Timeouts
from synovia_client.state import ConnectionState, StateWatch
from synovia_client.subscription import Subscription
from synovia_client.sync_state import SyncState, not_signed_in
from synovia_client.uploads import Array, Progress, Upload, prepare
from synovia_protocol.arrays import DTYPES
from synovia_protocol.errors import ErrorCode
from synovia_protocol.messages import ArrayRef

R = TypeVar("R")

logger = logging.getLogger("synovia_client")


class Client:
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

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        session_id: bytes | None = None,
        first_request: int = 1,
        outbox: str | os.PathLike[str] | Outbox | None = None,
        on_recovered: OnRecovered | None = None,
        ssl: ssl_module.SSLContext | None = None,
        proxy: str | Literal[True] | None = True,
        max_frame_bytes: int = 64 << 20,
        clock: Clock | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self.url = socket_url(url)
        if outbox is not None and (session_id is not None or first_request != 1):
            raise ValueError("session_id and first_request cannot be given beside an outbox, which keeps its own")
        if outbox is not None and not isinstance(outbox, Outbox):
            outbox = Outbox(outbox)
        if outbox is not None:
            session_id, first_request = outbox.session_id, outbox.following
        self.session_id = os.urandom(16) if session_id is None else session_id
        if len(self.session_id) != 16:
            raise ValueError("a session id has 16 bytes")
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or LoopClock()
        self._state = StateWatch()
        self._credentials = Credentials(token, self._clock, self._timeouts.token)
        self._sync = SyncState(self._clock, self._timeouts, first_request)
        self._recovery = OutboxRecovery(outbox, self._sync, on_recovered) if outbox is not None else None
        self._sync.outbox = self._recovery
        dialer = Dialer(self.url, self._timeouts, self._clock, ssl, proxy, max_frame_bytes)
        self._loop = ConnectionLoop(
            dialer,
            self.session_id,
            self._sync,
            self._credentials,
            self._state,
            Reconnection(backoff or Backoff(), random),
        )
        self._task: asyncio.Task[None] | None = None
        self._failure: ConnectionFailed | None = None

    # --- life

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Begin to connect, in the background; ``async with`` does this. ClientClosed if the client has been closed."""
        if self._state.current is ConnectionState.CLOSED:
            raise ClientClosed("a client that was closed cannot be opened again")
        if self._task is None:
            if self._recovery is not None:
                self._recovery.recover()
            self._task = asyncio.create_task(self._run(), name="synovia-client")

    async def close(self) -> None:
        """End the connection; whoever still waits for an answer gets ClientClosed. May be called twice."""
        self._state.move(ConnectionState.CLOSED)
        self._end(self._closed_error)
        task, self._task = self._task, None
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1.0)  # again, if the cancellation was lost
        if self._recovery is not None:
            await self._recovery.close()

    async def _run(self) -> None:
        try:
            self._failure = ConnectionFailed.of(await self._loop.run())
        except Exception as error:
            logger.exception("the client failed")
            self._failure = ConnectionFailed("client_error", f"the client failed: {error!r}")
        self._state.move(ConnectionState.FAILED)
        self._end(self._failure.again)

    def _end(self, error: Callable[[], SynoviaError]) -> None:
        self._sync.end(error)
        self._credentials.changed.bump()

    def _ended(self) -> SynoviaError | None:
        """Tell why the client does nothing any more: an error to raise, or None."""
        if self._state.current is ConnectionState.CLOSED:
            return self._closed_error()
        if self._failure is not None:
            return self._failure.again()
        return ClientClosed("the client is not open: use `async with`, or await open()") if self._task is None else None

    @staticmethod
    def _closed_error() -> ClientClosed:
        return ClientClosed("the client is closed")

    def _check_running(self) -> None:
        error = self._ended()
        if error is not None:
            raise error

    # --- the connection

    @property
    def state(self) -> ConnectionState:
        """The state of the connection now."""
        return self._state.current

    @property
    def trouble(self) -> str | None:
        """Why there is no connection, for people; None while there is one."""
        return self._loop.trouble

    @property
    def auth_error(self) -> AuthenticationError | None:
        """Why the server did not take the token; None when it did."""
        error = self._credentials.error
        return None if error is None else AuthenticationError.of(error)

    @property
    def next_request(self) -> int:
        """The number that the next request will have."""
        return self._sync.numbers.following

    @property
    def in_outbox(self) -> int:
        """How many mutations the outbox holds on the disk; 0 without one."""
        return 0 if self._recovery is None else self._recovery.outbox.held

    def states(self) -> AsyncIterator[ConnectionState]:
        """Iterate over the states of the connection: the present one, then each new one, up to the last."""
        return self._state.changes()

    async def connected(self, timeout: TimeLimit = DEFAULT) -> None:
        """Wait for the connection.

        Raises:
            RequestTimeout: It takes longer than ``timeout`` seconds.
            ConnectionFailed: The server refuses for good.
        """
        self._check_running()
        async with self._limit(timeout, "connecting"):
            await self._state.until(ConnectionState.CONNECTED)
        self._check_running()

    async def authenticate(self, token: Token, *, timeout: TimeLimit = DEFAULT) -> None:
        """Sign in with another token (or callable), or out with None, and wait until the server has looked at it.

        Raises:
            AuthenticationError: The server does not accept it; the client is anonymous now.
        """
        self._check_running()
        credentials = self._credentials
        number = credentials.replace(token)
        if self._loop.link is not None:
            self._loop.link.sign_in()
        async with self._limit(timeout, "signing in"):
            while credentials.settled < number:
                await credentials.changed.after(credentials.changed.count)
                self._check_running()
        if credentials.error is not None:
            raise AuthenticationError.of(credentials.error)

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
        wire = self._checked(path, args)
        return Subscription(self._sync, self._ended, path, wire, lambda: self._clock.deadline(self._timeouts.request))

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
        self, call: MutationCall[R], /, *, timeout: TimeLimit = DEFAULT, on_progress: Progress | None = None
    ) -> R: ...
    @overload
    async def mutation(
        self,
        path: str,
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any: ...
    async def mutation(
        self,
        path: str | MutationCall[Any],
        args: dict[str, Any] | None = None,
        *,
        timeout: TimeLimit = DEFAULT,
        on_progress: Progress | None = None,
    ) -> Any:
        """Run a mutation exactly once, whatever happens to the connection, and give its result.

        Args:
            args: Wire values, and numpy arrays anywhere among them.
            timeout: Seconds without an answer, or progress of an upload, after which to give up; the mutation may still run.
            on_progress: Called with (bytes sent, bytes in total) while arrays are uploaded.

        Raises:
            FunctionError: The mutation failed and changed nothing.
            RequestTimeout: No answer in time.
        """
        return await self._request("mutation", *spelled_out(path, args, "mutation"), timeout, on_progress)

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
        self, kind: Kind, path: str, args: dict[str, Any], timeout: TimeLimit, on_progress: Progress | None
    ) -> Any:
        self._check_running()
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
            with self._sync.request(kind, path, wire, upload, uploaded, needs_sign_in=needs_sign_in) as request:
                if self._recovery is not None and request.kept:
                    return await self._recovery.keep(request, arrays)
                return await request.answer

    def _checked(self, path: str, args: dict[str, Any]) -> dict[str, Any]:
        return checked(path, args, self._sync.max_message_bytes)

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
        part = _checked_part(ref, start, stop, points)
        with self._sync.showing(ref.digest) as query:
            if query is None:
                raise FunctionError(ErrorCode.ARRAY_NOT_FOUND, "no query of this client has shown this array")
            async with self._limit(timeout, "the array") as deadline:
                with self._sync.download(Download(query, ref, part, on_progress, deadline.extend)) as download:
                    return await download.answer

    @asynccontextmanager
    async def _limit(self, timeout: TimeLimit, what: str) -> AsyncIterator[Deadline]:
        seconds = timeout if timeout is None or isinstance(timeout, (int, float)) else self._timeouts.request
        deadline = self._clock.deadline(seconds)
        try:
            async with deadline:
                yield deadline
        except TimeoutError as error:
            if isinstance(error, SynoviaError):
                raise
            raise RequestTimeout(f"{what}: nothing came for {seconds} s ({self._waiting_for()})") from None

    def _waiting_for(self) -> str:
        return self._loop.trouble or f"the connection is {self.state}"


def _checked_part(ref: ArrayRef, start: int, stop: int | None, points: int | None) -> Part:
    if not isinstance(ref, ArrayRef):
        raise TypeError(f"arrays are fetched by their references, not by {type(ref).__name__}")
    if ref.dtype not in DTYPES:
        raise ValueError(f"this client does not know the dtype {ref.dtype}")
    start, stop = index(start), None if stop is None else index(stop)
    points = None if points is None else index(points)
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"not a range: {start} to {stop}")
    if points is not None and points < 2:
        raise ValueError("an outline has at least 2 points")
    return Part(start, stop, points)
