"""What is served over HTTP: the sync socket, single calls, the application's own routes, and the state of health."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from synovia.engine.engine import Engine
from synovia.http.calls import Calls
from synovia.http.declared import DeclaredRoutes
from synovia.http.openapi import describe
from synovia.http.proxies import prefix_of
from synovia.http.settings import HttpSettings
from synovia.http.values import dump
from synovia.scheduler.runner import Runner
from synovia.store.base import Store, Ts
from synovia.sync.hub import Hub


def routes(hub: Hub, store: Store, engine: Engine, scheduler: Runner, settings: HttpSettings) -> list[BaseRoute]:
    """List the routes of a server."""

    async def alive(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    async def health(request: Request) -> JSONResponse:
        report = await health_report(hub, store, engine, scheduler)
        return JSONResponse(report, 200 if report["status"] == "ok" else 503, headers={"cache-control": "no-store"})

    @lru_cache(maxsize=16)
    def description(prefix: str) -> bytes:
        return dump({**describe(engine.registry), "servers": [{"url": prefix or "/"}]})

    async def openapi(request: Request) -> Response:
        return Response(description(prefix_of(request.scope)), media_type="application/json")

    own: list[BaseRoute] = [WebSocketRoute("/sync", hub), Route("/health", health), Route("/health/live", alive)]
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


async def health_report(hub: Hub, store: Store, engine: Engine, scheduler: Runner) -> dict[str, Any]:
    """Tell whether the store answers, the log is followed and the scheduler runs, and how much there is to do."""
    state, schedule = engine.health(), scheduler.health()
    silent = state.log_age > hub.limits.log_timeout
    fault, newest = await _look_at(store, hub.limits.health_timeout, silent=silent)
    log = "not followed" if not state.log_alive else "standing still" if silent and newest > state.head else "ok"
    good = fault is None and log == "ok" and schedule.fault is None and not hub.requests.stopping
    return {
        "status": "stopping" if hub.requests.stopping else "ok" if good else "failing",
        "store": "ok" if fault is None else fault,
        "log": log,
        "logAge": round(state.log_age, 1),
        "gaps": state.gaps,
        "lastGap": None if state.last_gap is None else round(state.last_gap * 1000),
        "head": state.head,
        "backlog": state.backlog,
        "scheduler": schedule.fault or ("ok" if schedule.enabled else "off"),
        "scheduledCalls": schedule.running,
        "failedCalls": schedule.failed.count,
        "lastFailedCall": schedule.failed.last,
        "unreadableDocuments": len(engine.unreadable),
        "connections": len(hub),
        "liveQueries": state.live_queries,
        "swept": asdict(engine.swept),
        "process": os.getpid(),
    }


async def _look_at(store: Store, seconds: float, *, silent: bool) -> tuple[str | None, Ts]:
    """Tell what is wrong with the store, and, if the log is silent, the newest commit there is."""
    newest = 0
    try:
        async with asyncio.timeout(seconds):
            await store.ping()
            if silent:
                newest, _ = await store.newest()
    except TimeoutError:
        return f"no answer within {seconds:g} s", newest
    except Exception as error:
        return f"{type(error).__name__}: {error}", newest
    return None, newest
