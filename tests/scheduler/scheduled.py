"""Calls of the tally application that a scheduler runs by itself, and waiting for what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from helpers.patience import PATIENCE
from synovia.functions.registry import Registry
from synovia.scheduler.settings import SchedulerSettings
from synovia.store.base import Store
from synovia.testing import Caller, TestApp


@asynccontextmanager
async def running(
    registry: Registry, store: Store | str = "sqlite://:memory:", **settings: Any
) -> AsyncIterator[TestApp]:
    """Give an application whose scheduler runs by itself, by the time of day."""
    async with TestApp(registry, store, scheduler=SchedulerSettings(**settings)) as app:
        app.scheduler.start()
        yield app


async def later(caller: Caller, path: str, seconds: float = 0.0, /, times: int = 1, **args: Any) -> str:
    call_id: str = await caller.mutation(
        "tally:later", {"path": path, "args": args, "seconds": seconds, "times": times}
    )
    return call_id


async def until_there_are(app: TestApp, status: str, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            head = app.engine.head  # before the query: what is committed while it runs is not waited for again
            if await app.caller().query("tally:how_many", {"status": status}) >= count:
                return
            await app.engine.wait_for(head + 1)
