"""What is served over HTTP: the sync socket and the state of health."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from synovia.engine.engine import Engine
from synovia.store.base import Store
from synovia.sync.hub import Hub


def routes(hub: Hub, store: Store, engine: Engine) -> list[BaseRoute]:
    """List the routes of a server."""

    async def health(request: Request) -> JSONResponse:
        report = await health_report(hub, store, engine)
        return JSONResponse(report, 200 if report["status"] == "ok" else 503, headers={"cache-control": "no-store"})

    return [WebSocketRoute("/sync", hub), Route("/health", health)]


async def health_report(hub: Hub, store: Store, engine: Engine) -> dict[str, Any]:
    """Tell whether the store answers and the log is followed, and how much there is to do."""
    fault = await _store_fault(store, hub.limits.health_timeout)
    engine_health = engine.health()
    good = fault is None and engine_health.ok and not hub.stopping
    return {
        "status": "stopping" if hub.stopping else "ok" if good else "failing",
        "store": "ok" if fault is None else fault,
        "log": "ok" if engine_health.log_alive else "not followed",
        "head": engine_health.head,
        "connections": len(hub),
        "liveQueries": engine_health.live_queries,
    }


async def _store_fault(store: Store, seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            await store.ping()
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None
