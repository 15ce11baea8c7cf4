"""The running server, as its system functions know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from synovia.engine.engine import Engine
from synovia.health import Health
from synovia.sync.hub import Hub


class Server(Protocol):
    """A server with its parts."""

    @property
    def engine(self) -> Engine: ...

    @property
    def hub(self) -> Hub: ...

    @property
    def health(self) -> Health: ...


Running = Callable[[], Server]
"""Gives the server; asked when a function is called, not before."""
