"""Everything that operators can ask of a hub: its system functions, beside those of an application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from synovia.dashboard.call_log import CallLog
from synovia.dashboard.callables import FunctionFunctions
from synovia.dashboard.clients import ClientFunctions
from synovia.dashboard.data import DataFunctions
from synovia.dashboard.live import LiveQueryFunctions
from synovia.dashboard.logs import LogFunctions
from synovia.dashboard.running import Running
from synovia.dashboard.scheduled import ScheduledFunctions
from synovia.dashboard.state import HealthFunctions
from synovia.dashboard.tables import Tables
from synovia.engine.live_queries import LiveQueries
from synovia.functions.function import Function
from synovia.functions.registry import SYSTEM_MODELS, Registry


class Room(Protocol):
    """Some system functions that belong together."""

    def functions(self) -> Iterator[Function]: ...


class System:
    """The system functions of one hub.

    Args:
        running: Gives the server.

    Attributes:
        registry: The application with the system functions beside it.
        log: The newest calls, to which the engine has to tell of all.
    """

    def __init__(self, registry: Registry, running: Running) -> None:
        self.log = CallLog()
        tables = Tables(registry, {table.spec.name: table for table in SYSTEM_MODELS})
        live = LiveQueryFunctions(running, self.log)
        rooms: list[Room] = [
            DataFunctions(running, tables),
            LogFunctions(self.log),
            FunctionFunctions(registry, running),
            live,
            ClientFunctions(running, live),
            ScheduledFunctions(registry),
            HealthFunctions(running, registry.name, self.log),
        ]
        functions = [function for room in rooms for function in room.functions()]
        self.registry = replace(registry, system={function.path: function for function in functions})

    def begin(self, live: LiveQueries) -> None:
        """Take the live queries of the hub, so that they follow what is in memory."""
        self.log.signal.begin(live)
