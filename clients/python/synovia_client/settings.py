"""How long the client waits for what."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum


class Default(Enum):
    """Stands for: as ``Timeouts.request`` says."""

    DEFAULT = "default"


DEFAULT = Default.DEFAULT
TimeLimit = float | None | Default
"""Seconds; None for no limit; or the client's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Limits for everything that is waited for, in seconds.

    Attributes:
        connect: To open the socket, TLS and the WebSocket handshake included.
        welcome: For the server's first message.
        token: For the token callable.
        request: For the answer to a query, mutation or action, from the call on, offline time included; while arrays are
            transferred, from one frame to the next. None: no limit. Each call can set its own.
        send: For the socket to take one frame.
        ping_interval: Between two pings; made shorter when the server's idle timeout demands it.
        pong: For a sign of life after a ping.
        close: For a closing handshake.
        settle: For a mutation's answer after a transition that may already show it, while its optimistic update is shown.
        resume: For the results from before a break to be confirmed, while they go on being shown as they were.
    """

    connect: float = 10.0
    welcome: float = 10.0
    token: float = 10.0
    request: float | None = 60.0
    send: float = 30.0
    ping_interval: float = 10.0
    pong: float = 10.0
    close: float = 2.0
    settle: float = 0.1
    resume: float = 5.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise ValueError(f"the timeout {field.name} must be positive, not {value!r}")
