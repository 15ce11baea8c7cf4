"""The loop that keeps a connection up: dial, speak, find out why it ended, wait, dial again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from synovia_client.credentials import Credentials
from synovia_client.dialer import Dialer, DialFailed
from synovia_client.link import Ending, Link
from synovia_client.reconnection import Reconnection
from synovia_client.state import ConnectionState, StateWatch
from synovia_client.sync_state import SyncState
from synovia_protocol.codec import FROM_SERVER, Limits
from synovia_protocol.errors import ErrorInfo
from synovia_protocol.sessions import ClientSession

logger = logging.getLogger("synovia_client")


@dataclass
class ConnectionLoop:
    """One connection after the other, until the server refuses for good.

    Attributes:
        link: The present connection, if there is one.
    """

    dialer: Dialer
    session_id: bytes
    sync: SyncState
    credentials: Credentials
    state: StateWatch
    reconnection: Reconnection
    link: Link | None = None
    _welcomed_at: float | None = None
    _ever_welcomed: bool = False
    _waiting: asyncio.Future[None] | None = None

    def __post_init__(self) -> None:
        limits = Limits(
            max_message_bytes=self.dialer.max_frame_bytes,
            max_elements=FROM_SERVER.max_elements,
            max_array_bytes=FROM_SERVER.max_array_bytes,
        )
        self._session = ClientSession(self.session_id, limits=limits)

    async def run(self) -> ErrorInfo:
        """Keep the connection up; give the error that ended it for good."""
        while True:
            ending = await self._connect_once()
            if ending.fatal is not None:
                return ending.fatal
            delay = self._delay(ending)
            logger.info("%s; connecting again in %.2f s", ending.reason, delay)
            await self._pause(delay)

    async def _pause(self, delay: float) -> None:
        self._waiting = asyncio.ensure_future(self.dialer.clock.sleep(delay))
        try:
            await asyncio.wait([self._waiting])
        finally:
            self._waiting.cancel()
            self._waiting = None

    def connect_now(self) -> None:
        """Wait no longer before the next attempt to connect."""
        if self._waiting is not None:
            self._waiting.cancel()

    def _delay(self, ending: Ending) -> float:
        now = self.dialer.clock.time()
        if ending.at_once:
            return self.reconnection.after_refused_token(now, self._welcomed_at)
        if ending.stopping:
            return self.reconnection.after_stop(now, ending.retry_after)
        return self.reconnection.after_failure(now, self._welcomed_at, ending.retry_after)

    async def _connect_once(self) -> Ending:
        self._welcomed_at = None
        try:
            ending = await self._dial_and_serve()
        except DialFailed as error:
            ending = self._not_reached(error)
        self.state.note(ending.reason)
        return ending

    def _not_reached(self, error: DialFailed) -> Ending:
        """A hub that was there once comes back; one that was never there is a wrong address."""
        fatal = ErrorInfo("unreachable", error.reason) if error.lasting and not self._ever_welcomed else None
        return Ending(error.reason, fatal, retry_after=error.retry_after)

    async def _dial_and_serve(self) -> Ending:
        dialer = self.dialer
        websocket = await dialer.dial()
        self.credentials.connected()
        self.link = Link(
            websocket, self._session, self.sync, self.credentials, dialer.timeouts, dialer.clock, self._on_welcome
        )
        try:
            ending = await self.link.run()
        finally:
            self.link = None
        if self.state.current is ConnectionState.CLOSED:
            raise asyncio.CancelledError  # before Python 3.13 a group of tasks that fails forgets that it was cancelled
        if ending.fatal is not None and self.sync.isolate(ending.fatal):
            ending = replace(ending, fatal=None)
        if ending.fatal is None:
            self._get_ready_again(resync=ending.resync)
        return ending

    def _get_ready_again(self, *, resync: bool) -> None:
        self.sync.disconnected(self._session)
        self._session = self.sync.next_session(self._session, resync=resync)
        if self.state.current is ConnectionState.CONNECTED:
            self.state.move(ConnectionState.RECONNECTING)

    def _on_welcome(self) -> None:
        if self.state.current is ConnectionState.CLOSED:
            return  # the program has closed the client, and this connection ends in a moment
        self._welcomed_at = self.dialer.clock.time()
        self._ever_welcomed = True
        self.state.trouble = None  # told with the state
        self.state.move(ConnectionState.CONNECTED)
