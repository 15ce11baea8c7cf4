"""What Convex clients find: their sockets, and their single calls."""

from __future__ import annotations

from starlette.routing import BaseRoute, WebSocketRoute

from synovia.convex.context import ConvexContext
from synovia.convex.endpoint import ConvexEndpoint
from synovia.convex.functions import ConvexFunctions
from synovia.functions.registry import Registry
from synovia.sync.hub import Hub


def convex_routes(hub: Hub, registry: Registry, *, show_logs: bool) -> list[BaseRoute]:
    """List the routes for Convex clients.

    Args:
        show_logs: Whether they are sent what functions log.
    """
    context = ConvexContext(hub.context, ConvexFunctions(registry), show_logs)
    endpoint = ConvexEndpoint(hub, context)
    return [WebSocketRoute("/api/sync", endpoint), WebSocketRoute("/api/{version}/sync", endpoint)]
