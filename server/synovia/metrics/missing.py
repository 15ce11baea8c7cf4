"""The figures of a hub where the library for them is not installed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from synovia.engine.engine import Engine
from synovia.engine.observing import Unobserved
from synovia.http.errors import Refused, telling_errors
from synovia.scheduler.runner import Runner
from synovia.sync.hub import Hub
from synovia_protocol.errors import ErrorCode

HOW = "this server has no metrics: pip install 'synovia[metrics]'"


class NoMetrics:
    """Counts nothing, and says why."""

    observer = Unobserved()

    def routes(self, hub: Hub, engine: Engine, scheduler: Runner, *, is_open: bool) -> list[BaseRoute]:
        """List the route that says so."""

        async def metrics(request: Request) -> Response:
            raise Refused(ErrorCode.SERVER_ERROR, HOW, status=501)

        return [Route("/metrics", telling_errors(metrics))]
