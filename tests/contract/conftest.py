"""Fixtures of the contract suite: every test that asks for ``store`` runs once for each store there is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from contract.stores import FACTORIES, PERSISTENT, TABLES, Factory, Opened
from synovia.store.base import Store


@pytest.fixture(params=FACTORIES)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Give an open, empty store with ``contract.stores.TABLES``."""
    factory: Factory = request.param
    async with factory(request, TABLES) as opened:
        yield opened.store


@pytest.fixture(params=PERSISTENT)
async def persistent(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    """Give a store that can be closed and opened again over the same data."""
    factory: Factory = request.param
    async with factory(request, TABLES) as opened:
        yield opened
