"""A second hub in one process: another engine and runner on the store and the clock of the first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from synovia.functions.registry import Registry
from synovia.scheduler.settings import SchedulerSettings
from synovia.testing import TestApp


@asynccontextmanager
async def hub_beside(
    app: TestApp, registry: Registry | None = None, settings: SchedulerSettings | None = None
) -> AsyncIterator[TestApp]:
    """Give a hub that has just started on the database of another."""
    other = TestApp(registry or app.registry, app.store, clock=app.clock, scheduler=settings)
    await other.engine.start()
    await other.scheduler.adopt()
    try:
        yield other
    finally:
        await other.scheduler.stop()
        await other.engine.stop()


async def lose(app: TestApp) -> None:
    """Have a hub's scheduler end as in a crash: nothing is given back."""
    tasks = list(app.scheduler._busy.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def do_what_is_due(app: TestApp) -> None:
    """Have a hub do what is due now, and nothing that comes of it."""
    await app.scheduler.take_up()
    app.scheduler._stopping = True
    await asyncio.gather(*app.scheduler._busy.values())
    app.scheduler._stopping = False
