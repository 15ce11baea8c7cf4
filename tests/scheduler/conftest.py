"""What several tests of scheduled calls begin with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from apps import pooled
from helpers.patience import PATIENCE
from synovia.functions.registry import Registry
from synovia.store.base import Store
from synovia.testing import TestApp


@pytest.fixture
async def app(registry: Registry, any_store: Store) -> AsyncIterator[TestApp]:
    """Give the application of a file, which has its registry as a fixture, on either store."""
    async with asyncio.timeout(PATIENCE), TestApp(registry, any_store) as app:
        yield app


@pytest.fixture
def watch() -> Iterator[pooled.Watch]:
    """Give what the pooled functions are held up and counted by."""
    pooled.WATCH.append(pooled.Watch())
    yield pooled.WATCH[-1]
    pooled.WATCH.clear()
