"""What is served over HTTP: the sync socket, single calls, the application's own routes, and the state of health."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from synovia.engine.engine import Engine
from synovia.health import Health
from synovia.http.calls import Calls
from synovia.http.declared import DeclaredRoutes
from synovia.http.openapi import describe
from synovia.http.proxies import prefix_of
from synovia.http.settings import HttpSettings
from synovia.http.values import dump
from synovia.sync.hub import Hub


def routes(hub: Hub, engine: Engine, health: Health, settings: HttpSettings) -> list[BaseRoute]:
    """List the routes of a server."""

    async def alive(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    async def ready(request: Request) -> JSONResponse:
        report = {**await health.report(), "process": os.getpid()}
        status = 200 if report["status"] in ("ok", "degraded") else 503
        return JSONResponse(report, status, headers={"cache-control": "no-store"})

    @lru_cache(maxsize=16)
    def description(prefix: str) -> bytes:
        return dump({**describe(engine.registry), "servers": [{"url": prefix or "/"}]})

    async def openapi(request: Request) -> Response:
        return Response(description(prefix_of(request.scope)), media_type="application/json")

    own: list[BaseRoute] = [WebSocketRoute("/sync", hub), Route("/health", ready), Route("/health/live", alive)]
    calls, declared = Calls(hub, engine, settings), DeclaredRoutes(hub, engine, settings)
    if settings.openapi:
        own.append(Route("/openapi.json", openapi))
    return [*own, *calls.routes(), *declared.routes()]


def other_methods(found: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Make routes that refuse what others do not answer at their paths; they come after those, and before a page."""
    allowed: dict[str, set[str]] = {}
    for route in found:
        if isinstance(route, Route):
            allowed.setdefault(route.path, set()).update(route.methods or ())
    return [Route(path, _OtherMethods(methods)) for path, methods in allowed.items()]


class _OtherMethods:
    def __init__(self, allowed: Iterable[str]) -> None:
        self._headers = {"allow": ", ".join(sorted(allowed))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise HTTPException(405, headers=self._headers)
