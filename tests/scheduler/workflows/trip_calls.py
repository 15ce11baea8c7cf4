"""Calls of the application of trips."""

from __future__ import annotations

from typing import Any

from synovia.scheduler.settings import SchedulerSettings
from synovia.testing import TestApp

KEEPING = SchedulerSettings(max_kept_workflows=100)
"""Of a hub that keeps workflows in memory."""


async def begin(app: TestApp, path: str, /, **args: Any) -> str:
    call_id: str = await app.caller().mutation("trips:begin", {"path": path, "args": args})
    return call_id


async def status(app: TestApp, call_id: str) -> str:
    found: list[str] = await app.caller().query("trips:status", {"callId": call_id})
    return found[0]


async def error(app: TestApp, call_id: str) -> str | None:
    found: list[str | None] = await app.caller().query("trips:status", {"callId": call_id})
    return found[1]


async def bookings(app: TestApp) -> list[str]:
    found: list[str] = await app.caller().query("trips:bookings")
    return found


async def steps(app: TestApp, call_id: str) -> list[tuple[str, str]]:
    rows = await app.caller().query("trips:steps", {"callId": call_id})
    return [(each["name"] or each["kind"], each["status"]) for each in rows if each["number"] >= 0]


async def ending(app: TestApp) -> dict[str, Any]:
    [*_, found] = await app.caller().query("trips:endings")
    return {name: found[name] for name in ("status", "result", "code") if name in found}


async def send(app: TestApp, call_id: str, name: str, payload: Any = None) -> bool:
    sent: bool = await app.caller().mutation("trips:send", {"callId": call_id, "name": name, "payload": payload})
    return sent


async def cancel(app: TestApp, call_id: str) -> bool:
    cancelled: bool = await app.caller().mutation("trips:cancel", {"callId": call_id})
    return cancelled


async def resume(app: TestApp, call_id: str) -> bool:
    resumed: bool = await app.caller().mutation("trips:resume", {"callId": call_id})
    return resumed
