"""Connections that are not WebSockets yet: how many there are, and how long they may take over their requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from synovia.limits.addresses import Address
from synovia.sync.hub import Hub

PATIENCE_SECONDS = 3.0
"""In debt for longer than this, an address is refused before anything is read. Handshakes wait as long at most."""


class Visitor(Protocol):
    """A connection at the door."""

    def __hash__(self) -> int: ...

    def watch(self, now: float, request_timeout: float, stall_timeout: float) -> None:
        """Look at the deadlines."""
        ...

    def answer_for_the_last_time(self) -> None:
        """Say with the answer that is being made, if any, that the connection ends with it."""
        ...

    def shutdown(self) -> None:
        """End the connection, after the answer that is being made."""
        ...

    def let_go(self, whose: str, most: int) -> None:
        """End the connection at once, as more than ``most`` bytes wait for the clients of ``whose``."""
        ...


class Admission:
    """Counts connections from their first byte on, before anything is known but where they come from.

    Args:
        hub: Counts what addresses use.
        trusts: Tells whether a peer is a proxy, which brings connections of many.

    Attributes:
        draining: Each connection ends with its next answer.
        lingering: So many connections have been refused, and wait for their clients to read that.
        on_first: Is called when somebody comes where nobody was.
    """

    def __init__(self, hub: Hub, trusts: Callable[[str], bool]) -> None:
        self._hub = hub
        self._trusts = trusts
        self._inside: dict[Visitor, Address | None] = {}
        self.draining = False
        self.lingering = 0
        self.on_first: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self._inside)

    def enter(self, visitor: Visitor, host: str) -> bytes | None:
        """Let a connection in, or give the status line to refuse it with."""
        limits = self._hub.limits
        if len(self._inside) >= limits.max_connections:
            return b"503 Service Unavailable"
        address = None if self._trusts(host) else self._hub.addresses.of(host)
        if address is not None:
            # One that becomes a WebSocket is let in as long as there is a place for it; requests are counted as they come.
            places = limits.max_connections_per_address - address.connections - address.arriving
            if address.visitors >= limits.max_requests_per_address + max(0, places):
                return b"429 Too Many Requests"
            if address.meter.wait(time.monotonic()) > PATIENCE_SECONDS:
                return b"429 Too Many Requests"
            address.visitors += 1
        if not self._inside:
            self.on_first()
        self._inside[visitor] = address
        return None

    def note_waiting(self, visitor: Visitor, size: int) -> None:
        """Take notice of how much of an answer waits for a client; of those of a proxy each counts for itself."""
        if visitor in self._inside:
            self._hub.backlog.note(visitor, self._inside[visitor] or visitor, size)

    def leave(self, visitor: Visitor) -> None:
        """Count a connection no more; it may have left already."""
        self.note_waiting(visitor, 0)
        address = self._inside.pop(visitor, None)
        if address is not None:
            address.visitors -= 1

    def watch(self, now: float) -> None:
        """Look at the deadlines of everybody inside."""
        limits = self._hub.limits
        for visitor in list(self._inside):
            visitor.watch(now, limits.request_timeout, limits.stall_timeout)

    def drain(self) -> None:
        """Answer what comes, and let each connection end with its answer: proxies then use another one."""
        self.draining = True
        for visitor in list(self._inside):
            visitor.answer_for_the_last_time()

    def shut_idle(self) -> None:
        """End the connections on which nothing is asked, and the others after their answers."""
        for visitor in list(self._inside):
            visitor.shutdown()
