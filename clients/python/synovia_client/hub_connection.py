"""One hub and one client: connecting, signing in and out, and waiting within limits; without the calls themselves."""

from __future__ import annotations

import asyncio
import logging
import os
import random as random_module
import ssl as ssl_module
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, Literal, Self

from synovia_client.address import socket_url
from synovia_client.backoff import Backoff
from synovia_client.callbacks import Unsubscribe
from synovia_client.clock import Clock, Deadline, LoopClock
from synovia_client.credentials import Credentials, Token
from synovia_client.dialer import Dialer
from synovia_client.errors import (
    AuthenticationError,
    ClientClosed,
    ConnectionFailed,
    RequestTimeout,
    SynoviaError,
)
from synovia_client.loop import ConnectionLoop
from synovia_client.misuse import UsedOtherwise
from synovia_client.outbox import Outbox
from synovia_client.outbox_recovery import OnRecovered, OutboxRecovery
from synovia_client.reconnection import Reconnection
from synovia_client.settings import DEFAULT, TimeLimit, Timeouts
from synovia_client.sign_out import end_session
from synovia_client.state import ConnectionState, StateWatch
from synovia_client.sync_state import SyncState
from synovia_client.tokens import AuthState, TokenStore

logger = logging.getLogger("synovia_client")


class HubConnection(UsedOtherwise):
    """What a client is beside its calls; see ``Client`` for the arguments."""

    _used: ClassVar[str] = (
        "a client is opened by async with Client(...) as client, or by await client.open();"
        " programs without an event loop have BlockingClient"
    )

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        session_id: bytes | None = None,
        first_request: int = 1,
        tokens: TokenStore | None = None,
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
        self._credentials = Credentials(token, self._clock, self._timeouts.token, tokens)
        self._sync = SyncState(self._clock, self._timeouts, first_request)
        self._recovery = OutboxRecovery(outbox, self._sync, on_recovered) if outbox is not None else None
        self._sync.outbox = self._recovery
        self._dialer = Dialer(self.url, self._timeouts, self._clock, ssl, proxy, max_frame_bytes)
        self._loop = ConnectionLoop(
            self._dialer,
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
        self._credentials.watchers.clear()
        self._state.watchers.clear()

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}: {self.state}>"

    @property
    def state(self) -> ConnectionState:
        """The state of the connection now."""
        return self._state.current

    @property
    def trouble(self) -> str | None:
        """Why there is no connection, for people; None while there is one."""
        return self._state.trouble

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
    def unanswered(self) -> int:
        """How many mutations and actions have no answer yet."""
        return len(self._sync.requests)

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

    def connect_now(self) -> None:
        """Try to connect at once, if the client waits before it tries again; for a button, or when a network has come up."""
        self._check_running()
        self._loop.connect_now()

    def on_state_change(self, callback: Callable[[ConnectionState], object]) -> Unsubscribe:
        """Be told of each new state of the connection, and of each attempt to connect that failed."""
        return self._state.watchers.add(callback)

    # --- signing in

    @property
    def auth(self) -> AuthState:
        """Who the server takes the client for; the same object as long as nothing changes."""
        return self._credentials.state

    def on_auth_change(self, callback: Callable[[AuthState], object]) -> Unsubscribe:
        """Be told when ``auth`` is another."""
        return self._credentials.watchers.add(callback)

    async def authenticate(self, token: Token, *, timeout: TimeLimit = DEFAULT) -> None:
        """Sign in with another token (or callable), or out with None, and wait until the server has looked at it.

        Raises:
            AuthenticationError: The server does not accept it; the client is anonymous now.
        """
        self._check_running()
        await self._until_settled(self._replace_token(token), timeout)

    async def sign_out(self, *, timeout: TimeLimit = DEFAULT) -> None:
        """Sign out: forget all tokens, end the session at the server if there is one, and become anonymous.

        The tokens are forgotten at once; that the server could not be told is logged, and no error.
        """
        self._check_running()
        issued = self._credentials.issued
        number = self._replace_token(None)
        if issued is not None:
            try:
                await end_session(self._dialer, issued)
            except SynoviaError as error:
                logger.warning("%s", error)
        await self._until_settled(number, timeout)

    def _replace_token(self, token: Token) -> int:
        number = self._credentials.replace(token)
        if self._loop.link is not None:
            self._loop.link.sign_in()
        return number

    async def _until_settled(self, number: int, timeout: TimeLimit) -> None:
        credentials = self._credentials
        async with self._limit(timeout, "signing in"):
            while credentials.settled < number:
                await credentials.changed.after(credentials.changed.count)
                self._check_running()
        if credentials.error is not None:
            raise AuthenticationError.of(credentials.error)

    # --- waiting

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
        return self._state.trouble or f"the connection is {self.state}"
