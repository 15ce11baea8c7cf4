"""``_system/health``: how this hub is, and what it has done."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synovia.dashboard.call_log import CallLog
from synovia.dashboard.declaring import look_again, query
from synovia.dashboard.running import Running, Server
from synovia.functions.context import QueryContext
from synovia.functions.function import Function
from synovia.schema import Model


class HubName(Model):
    """Which hub answers.

    Attributes:
        hub: Names it among the hubs of its database: the machine and the process.
        shared: Whether other hubs may serve the same database, with calls, live queries and clients of their own.
    """

    hub: str
    shared: bool


class HubState(Model):
    """A hub.

    Attributes:
        report: As ``/health`` has it.
        counters: What has happened since it was started, by name.
        gauges: How things are now.
        hub: Names it among the hubs of its database: the machine and the process.
        memory: Bytes of the process, if the system tells.
        limits: Which limits were hit since it was started, and how often.
        shared: Whether other hubs may serve the same database.
        at: By the clock of the hub, in milliseconds since 1970.
    """

    application: str
    hub: str
    shared: bool
    process: int
    started_at: float
    at: float
    memory: int | None = None
    report: dict[str, Any]
    counters: dict[str, float]
    gauges: dict[str, float]
    limits: dict[str, int] = {}


class HealthFunctions:
    """Reads how a hub is."""

    def __init__(self, running: Running, application: str, log: CallLog) -> None:
        self._running = running
        self._application = application
        self._log = log
        self._started_at = time.time() * 1000

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("health:hub", self.hub)
        yield query("health:report", self.report)

    async def hub(self, ctx: QueryContext) -> HubName:
        """Tell which hub answers: whose calls, live queries and clients are shown."""
        return HubName(hub=_name(), shared=self._running().engine.store.shared)

    async def report(self, ctx: QueryContext) -> HubState:
        """Tell how the hub is and what it has done, once a second."""
        look_again(ctx)
        running = self._running()
        return HubState(
            application=self._application,
            hub=_name(),
            shared=running.engine.store.shared,
            process=os.getpid(),
            started_at=self._started_at,
            at=time.time() * 1000,
            memory=_memory(),
            report=await running.health.report(),
            counters=self._counters(running),
            gauges=self._gauges(running),
            limits=self._limits(running),
        )

    def _counters(self, running: Server) -> dict[str, float]:
        engine, hub = running.engine, running.hub
        counted = engine.committer.counters
        return {
            "calls": self._log.seen,
            "failures": self._log.failures,
            "committed": counted["committed"],
            "transactions": counted["transactions"],
            "conflicts": counted["conflicts"],
            "outdated": counted["outdated"],
            "gaps": engine.gaps,
            "accepted": hub.counters.accepted,
            "refused": hub.counters.refused,
            "closed": hub.counters.closed,
            "sentFrames": hub.sent.frames,
            "sentBytes": hub.sent.bytes,
            "liveRuns": self._log.runs,
        }

    def _limits(self, running: Server) -> dict[str, int]:
        calls = {f"calls: {code}": number for code, number in self._log.limited.items()}
        return calls | running.hub.counters.limits

    def _gauges(self, running: Server) -> dict[str, float]:
        engine, hub = running.engine, running.hub
        return {
            "connections": len(hub),
            "backlog": engine.committer.backlog,
            "liveQueries": len(engine.live),
            "lingering": len(engine.live.lingering),
            "lingeringBytes": engine.live.lingering.bytes,
            "running": engine.live.running,
            "waiting": engine.live.waiting,
            "lagSeconds": engine.lag_seconds,
            "unreadable": len(engine.unreadable),
        }


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _memory() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
