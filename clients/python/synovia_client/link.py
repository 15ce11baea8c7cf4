"""One connection: a socket, a session, and the tasks that keep them going until one of them has a reason to end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from synovia_client.change_counter import ChangeCounter
from synovia_client.clock import Clock
from synovia_client.credentials import Credentials, Refusal
from synovia_client.settings import Timeouts
from synovia_client.sign_in import SignIn
from synovia_client.sync_state import Outgoing, SyncState
from synovia_client.throttle import retry_after
from synovia_protocol.errors import CloseCode, ErrorCode, ErrorInfo, ProtocolError, ResyncNeeded
from synovia_protocol.messages import Authenticated, AuthError, FatalError, Pong, Welcome
from synovia_protocol.sessions import ClientSession, ClientState
from synovia_protocol.version import __version__

CLIENT_NAME = f"synovia-client-python/{__version__}"

_RENEW_BEFORE = 60.0
"""Seconds before a token expires at which another is asked for; a fifth of its life if that is shorter."""

_LEAST_PING_INTERVAL = 0.05
_LEAST_RENEWAL_INTERVAL = 1.0
"""Seconds, whatever a server says of its idle timeout and of when tokens expire: no word of it keeps a program busy."""

logger = logging.getLogger("synovia_client")


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection ended.

    Attributes:
        fatal: The server refuses this client: connecting again would fail the same way.
        retry_after: The server asked to wait this many seconds.
        stopping: The server has ended in good order, and another one, or the same, will be there soon.
        resync: What is held does not fit what the server sends: take nothing along.
        abort: The other end does not answer any more: do not wait for its goodbye.
        at_once: Nothing is wrong with the server: another connection is to be made without a wait.
    """

    reason: str
    fatal: ErrorInfo | None = None
    retry_after: float = 0.0
    stopping: bool = False
    resync: bool = False
    close_code: CloseCode = CloseCode.NORMAL
    abort: bool = False
    at_once: bool = False


class _Ended(Exception):
    """Carries the ending out of the task that found it."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


class Link:
    """Speaks for one connection.

    Args:
        websocket: The open socket.
        session: A new session, which may hold results of an earlier one.
        on_welcome: Called when the server has sent its welcome.
    """

    def __init__(
        self,
        websocket: ClientConnection,
        session: ClientSession,
        sync: SyncState,
        credentials: Credentials,
        timeouts: Timeouts,
        clock: Clock,
        on_welcome: Callable[[], None],
    ) -> None:
        self.session = session
        self._websocket = websocket
        self._sync = sync
        self._credentials = credentials
        self._timeouts = timeouts
        self._clock = clock
        self._on_welcome = on_welcome
        self._welcomed = asyncio.Event()
        self._controls: deque[Callable[[], Outgoing]] = deque()
        self._life = ChangeCounter()
        self._nonce = 0
        self._sign_in = SignIn(credentials)
        self._expires_at: int | None = None
        self._expiry = ChangeCounter()
        self._handlers: dict[type, Callable[[Any], None]] = {
            Welcome: self._greeted,
            Authenticated: self._token_taken,
            AuthError: self._token_refused,
            Pong: self._ponged,
            FatalError: self._dismissed,
        }

    async def run(self) -> Ending:
        """Serve until the connection ends, and tell why."""
        ending = Ending("the client is closing")
        try:
            ending = await self._serve()
        finally:
            self.session.close()
            await self._hang_up(ending)
        return ending

    def sign_in(self) -> None:
        """Sign in again, with whatever the credentials give now."""
        self._sign_in.due = True
        self._sync.ready.set()

    async def _serve(self) -> Ending:
        ending = Ending("the client failed to handle this connection")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(), name="synovia-client reader")
                tasks.create_task(self._write(), name="synovia-client writer")
                tasks.create_task(self._watch(), name="synovia-client heartbeat")
                tasks.create_task(self._renew_tokens(), name="synovia-client tokens")
        except* _Ended as group:
            ending = _first(group)
        except* Exception as group:
            logger.error("the connection failed", exc_info=group)
        return ending

    async def _hang_up(self, ending: Ending) -> None:
        if ending.abort:
            self._websocket.transport.abort()
        try:
            await self._websocket.close(ending.close_code, ending.reason[:100])
        except asyncio.CancelledError:
            self._websocket.transport.abort()  # a goodbye that is cut short leaves no socket behind
            raise

    # --- reading

    async def _read(self) -> None:
        while True:
            try:
                frame = await self._websocket.recv()
            except ConnectionClosed as error:
                raise _Ended(Ending(f"the connection closed: {error}")) from error
            self._life.bump()
            self._receive(frame)

    def _receive(self, frame: bytes | str) -> None:
        try:
            events = self.session.receive(frame)
        except ProtocolError as error:
            raise _Ended(_broken(error)) from error
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)
        self._sync.receive(events)

    def _greeted(self, message: Welcome) -> None:
        self._sync.welcomed(message)
        self._welcomed.set()
        self._on_welcome()
        if self._sign_in.welcomed():
            self._go_on()

    def _dismissed(self, message: FatalError) -> None:
        text = f"the server ended the connection: {message.error.message} ({message.error.code})"
        if message.retry_after is None:
            raise _Ended(Ending(text, fatal=message.error))
        stopping = message.error.code == ErrorCode.STOPPING
        raise _Ended(Ending(text, retry_after=message.retry_after, stopping=stopping))

    # --- writing

    async def _write(self) -> None:
        try:
            await self._send(Outgoing(self.session.connect(CLIENT_NAME)))
            while True:
                self._sync.ready.clear()
                if self._sign_in.due:
                    await self._authenticate()
                outgoing = self._next()
                if outgoing is None:
                    await self._sync.ready.wait()
                else:
                    await self._send(outgoing)
        except ConnectionClosed:
            return  # the reader comes to the same end, after the last frames that the server has sent

    def _next(self) -> Outgoing | None:
        if self.session.state is ClientState.CLOSED:
            return None  # the reader has found the end, and says which
        if self._controls:
            return self._controls.popleft()()
        if self._welcomed.is_set() and not self._sign_in.pending:
            return self._sync.next_frame(self.session)
        return self._sync.next_query_set(self.session)

    async def _send(self, outgoing: Outgoing) -> None:
        try:
            async with self._clock.deadline(self._timeouts.send):
                await self._websocket.send(outgoing.frame)
        except TimeoutError:
            text = f"the socket accepted no data for {self._timeouts.send:g} s"
            raise _Ended(Ending(text, abort=True)) from None
        if outgoing.taken is not None:
            outgoing.taken()
        if outgoing.samples:
            self._life.bump()  # the peer takes samples, so it is there, even if a ping has to wait behind them

    def _control(self, make: Callable[[], Outgoing]) -> None:
        """Send a message before all others; it is made when it goes, because the connection may end before."""
        self._controls.append(make)
        self._sync.ready.set()

    def _ping(self, taken: Callable[[], None] | None = None) -> int:
        self._nonce += 1
        nonce = self._nonce
        self._control(lambda: Outgoing(self.session.ping(nonce), taken))
        return nonce

    # --- signing in: nothing else goes out until the token is there, and no request until the server has accepted it

    async def _authenticate(self) -> None:
        number = self._credentials.replaced
        try:
            token = await self._credentials.token()
        except TimeoutError:
            raise _Ended(Ending(f"no token came within {self._timeouts.token:g} s")) from None
        except Exception as error:
            logger.warning("the token callable failed", exc_info=error)
            raise _Ended(Ending(f"the token callable failed: {error!r}")) from error
        self._control(lambda: Outgoing(self.session.authenticate(token)))
        self._sign_in.shown(self._ping(), number, anonymous=token is None)

    def _token_taken(self, message: Authenticated) -> None:
        if self._sign_in.take_consent(message):
            self._expires_at = message.expires_at
            self._expiry.bump()

    async def _renew_tokens(self) -> None:
        """Sign in again before the token expires, so that nothing runs as anonymous in between."""
        while True:
            seen = self._expiry.count
            try:
                async with self._clock.deadline(self._renewal_due()):
                    await self._expiry.after(seen)
            except TimeoutError:
                self._expires_at = None
                self._credentials.expiring()
                self.sign_in()

    def _renewal_due(self) -> float | None:
        left = self._sync.time.until(self._expires_at)
        if left is None or left <= 0 or not self._credentials.renewable:
            return None
        return max(_LEAST_RENEWAL_INTERVAL, left - min(_RENEW_BEFORE, left / 5))

    def _token_refused(self, message: AuthError) -> None:
        error = message.error
        logger.info("the server did not accept the token: %s", error.message)
        settled = self._sign_in.settled
        refusal = self._sign_in.take_refusal(error)
        if refusal is Refusal.PASSING:
            # As nobody this connection is of no use, and what the server sends now is what nobody may see.
            text = f"the server could not verify the token: {error.message} ({error.code})"
            raise _Ended(Ending(text, retry_after=retry_after(error) or 0.0))
        if refusal is Refusal.ANOTHER and not settled:
            raise _Ended(Ending(f"the token was refused ({error.code}); trying another", at_once=True))
        if refusal is Refusal.ANOTHER:
            self.sign_in()
        elif refusal is Refusal.FINAL and not self._sign_in.pending:
            self._go_on()

    def _ponged(self, message: Pong) -> None:
        if self._sign_in.ponged(message.nonce):
            self._go_on()

    def _go_on(self) -> None:
        """It is settled who the client is."""
        if self._sign_in.refused:
            self._control(lambda: Outgoing(self.session.authenticate(None)))
        self._sync.identified(signed_in=self._sign_in.signed_in, refused=self._sign_in.refused)

    # --- staying alive

    async def _watch(self) -> None:
        try:
            async with self._clock.deadline(self._timeouts.welcome):
                await self._welcomed.wait()
        except TimeoutError:
            text = f"the server sent no welcome within {self._timeouts.welcome:g} s"
            raise _Ended(Ending(text, abort=True)) from None
        while True:
            await self._clock.sleep(self._ping_interval())
            await self._beat()

    def _ping_interval(self) -> float:
        idle = self.session.welcome.idle_timeout if self.session.welcome else 0.0
        longest = self._timeouts.ping_interval
        return min(longest, max(_LEAST_PING_INTERVAL, idle / 3)) if idle else longest

    async def _beat(self) -> None:
        went = asyncio.Event()
        seen = self._life.count
        self._ping(went.set)
        await went.wait()
        try:
            async with self._clock.deadline(self._timeouts.pong):
                await self._life.after(seen)
        except TimeoutError:
            text = f"the server gave no sign of life for {self._timeouts.pong:g} s"
            raise _Ended(Ending(text, abort=True)) from None


def _broken(error: ProtocolError) -> Ending:
    fatal = error.info if error.code is ErrorCode.UNSUPPORTED_VERSION else None
    resync = isinstance(error, ResyncNeeded)
    return Ending(f"the server broke the protocol: {error}", fatal, resync=resync, close_code=error.close_code)


def _first(group: BaseExceptionGroup[_Ended]) -> Ending:
    leaves = group.exceptions
    first = leaves[0]
    return first.ending if isinstance(first, _Ended) else _first(first)
