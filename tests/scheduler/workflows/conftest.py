"""What tests of workflows begin with: the application of trips, on hubs of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from apps import trips
from helpers.patience import PATIENCE
from scheduler.workflows.trip_calls import KEEPING
from synovia.functions.registry import Registry, collect
from synovia.store.base import Store
from synovia.testing import TestApp


@pytest.fixture(scope="module")
def registry() -> Registry:
    return collect("trips", [trips])


@pytest.fixture(params=["replayed", "kept"])
async def app(registry: Registry, any_store: Store, request: pytest.FixtureRequest) -> AsyncIterator[TestApp]:
    """Give a hub that runs workflows from their beginning in each turn, and one that keeps them in memory."""
    settings = KEEPING if request.param == "kept" else None
    async with asyncio.timeout(PATIENCE), TestApp(registry, any_store, scheduler=settings) as app:
        yield app


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    trips.CHANGED.clear()
    trips.FULL.intersection_update({"full"})
    trips.FAILURES.clear()
    trips.WAITERS.clear()
    trips.RUNNING[:] = [0, 0]
