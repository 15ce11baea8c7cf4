"""An engine by itself, without a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from synovia.engine.engine import Engine
from synovia.engine.settings import EngineLimits
from synovia.functions.registry import Registry
from synovia.store.base import Store
from synovia.store.sqlite import SQLiteStore


@asynccontextmanager
async def running_engine(registry: Registry, store: Store | None = None, **limits: Any) -> AsyncIterator[Engine]:
    """Run an engine until the block ends.

    Args:
        store: By default a SQLite store in memory; opened here, and closed at the end.
        limits: Those of ``EngineLimits`` that are not to be the default.
    """
    store = store or SQLiteStore()
    await store.open(registry.tables)
    engine = Engine(store, registry, limits=EngineLimits(**limits))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
        await store.close()
