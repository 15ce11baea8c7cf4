"""The state of the connection, as a program or its user may watch it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum

from synovia_client.callbacks import Listeners
from synovia_client.change_counter import ChangeCounter


class ConnectionState(StrEnum):
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"
    FAILED = "failed"


ENDED = frozenset({ConnectionState.CLOSED, ConnectionState.FAILED})

MOVES: dict[ConnectionState, frozenset[ConnectionState]] = {
    ConnectionState.CONNECTING: frozenset({ConnectionState.CONNECTED, ConnectionState.CLOSED, ConnectionState.FAILED}),
    ConnectionState.CONNECTED: frozenset(
        {ConnectionState.RECONNECTING, ConnectionState.CLOSED, ConnectionState.FAILED}
    ),
    ConnectionState.RECONNECTING: frozenset(
        {ConnectionState.CONNECTED, ConnectionState.CLOSED, ConnectionState.FAILED}
    ),
    ConnectionState.CLOSED: frozenset(),
    ConnectionState.FAILED: frozenset({ConnectionState.CLOSED}),
}


class StateWatch:
    """Holds the state, allows only legal moves, and tells everyone who watches.

    Attributes:
        trouble: Why there is no connection, or why there was none last time, for people; None while there is one.
        watchers: Called with each new state, and with the present one when there is another trouble.
    """

    def __init__(self) -> None:
        self.current = ConnectionState.CONNECTING
        self.trouble: str | None = None
        self.watchers: Listeners[ConnectionState] = Listeners()
        self._changes = ChangeCounter()

    def move(self, to: ConnectionState) -> None:
        """Change the state; moving to the present one changes nothing. RuntimeError for a move that is not in ``MOVES``."""
        if to is self.current:
            return
        if to not in MOVES[self.current]:
            raise RuntimeError(f"a connection cannot go from {self.current} to {to}")
        self.current = to
        self._changes.bump()
        self.watchers.emit(to)

    def note(self, trouble: str | None) -> None:
        """Note why there is no connection."""
        if trouble != self.trouble:
            self.trouble = trouble
            self.watchers.emit(self.current)

    async def changes(self) -> AsyncIterator[ConnectionState]:
        """Yield the present state, then each new one, up to ``closed`` or ``failed``; a slow watcher gets the newest."""
        while True:
            seen, state = self._changes.count, self.current
            yield state
            if state in ENDED:
                return
            await self._changes.after(seen)

    async def until(self, *wanted: ConnectionState) -> ConnectionState:
        """Wait until the state is one of these, or the connection has ended, and give the state."""
        while self.current not in wanted and self.current not in ENDED:
            await self._changes.after(self._changes.count)
        return self.current
