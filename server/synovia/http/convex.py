"""What Convex clients find: their sockets, their single calls, and what they ask a deployment about itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from synovia.convex.context import ConvexContext
from synovia.convex.endpoint import ConvexEndpoint
from synovia.convex.functions import ConvexFunctions
from synovia.engine.engine import Engine
from synovia.http.calls import Calls
from synovia.http.convex_calls import ConvexCalls
from synovia.http.settings import HttpSettings
from synovia.sync.hub import Hub
from synovia_protocol.version import __version__


class ConvexRoutes:
    """The routes for Convex clients.

    Args:
        tells_logs: Whether clients are told what functions log and print.

    Attributes:
        calls: Those that stand before the hub's own of the same paths, whose requests they tell apart.
        others: The rest, which gives way to an application's own routes.
    """

    def __init__(self, hub: Hub, engine: Engine, settings: HttpSettings, *, tells_logs: bool = False) -> None:
        functions = ConvexFunctions(engine.registry, tells_logs=tells_logs)
        endpoint = ConvexEndpoint(hub, ConvexContext(hub.context, functions))
        name = engine.registry.name

        async def instance_name(request: Request) -> Response:
            return PlainTextResponse(name)

        async def version(request: Request) -> Response:
            return PlainTextResponse(__version__)

        async def telemetry(request: Request) -> Response:
            return Response()

        self.calls: list[BaseRoute] = ConvexCalls(
            hub, engine, Calls(hub, engine, settings), functions, settings
        ).routes()
        self.others: list[BaseRoute] = [
            WebSocketRoute("/api/sync", endpoint),
            WebSocketRoute("/api/{version}/sync", endpoint),
            Route("/instance_name", instance_name),
            Route("/instance_version", version),
            Route("/version", version),
            Route("/api/debug_event", telemetry, methods=["POST"]),
        ]
