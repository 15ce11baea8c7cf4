"""The figures of one hub: what is told of calls, and what is read from its parts."""

from __future__ import annotations

from collections.abc import Container

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from starlette.routing import BaseRoute

from synovia.engine.engine import Engine
from synovia.metrics.calls import CallMetrics
from synovia.metrics.hub import HubCollector
from synovia.metrics.routes import routes
from synovia.scheduler.runner import Runner
from synovia.sync.hub import Hub


class Metrics:
    """Counts from the beginning of a hub to its end; several hubs of one process do not mix.

    Args:
        functions: The paths that there are.

    Attributes:
        observer: What an engine tells of its calls.
    """

    def __init__(self, functions: Container[str]) -> None:
        self._registry = CollectorRegistry()
        for kind in (ProcessCollector, PlatformCollector, GCCollector):
            kind(registry=self._registry)
        self.observer = CallMetrics(self._registry, functions)

    def routes(self, hub: Hub, engine: Engine, scheduler: Runner, *, is_open: bool) -> list[BaseRoute]:
        """List the routes, which from now on have the figures of a hub too.

        Args:
            is_open: Whether everybody may see them.
        """
        self._registry.register(HubCollector(hub, engine, scheduler))
        return routes(self._registry, hub.authenticator, hub.limits.authenticate_timeout, is_open)
