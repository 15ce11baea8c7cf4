"""A concert with its people, on either store, and the service beside it, on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from events.service.main import ServiceSettings, create
from helpers.events_scene import APPLICATION, SECRET, Concert, concert
from helpers.patience import PATIENCE
from helpers.serving import serving
from synovia.functions.registry import Registry, load_application
from synovia.store.base import Store
from synovia.testing import TestApp


@pytest.fixture
async def service_port() -> AsyncIterator[int]:
    """Give the port of a service without a backend."""
    async with serving(create(ServiceSettings(service_secret=SecretStr(SECRET)))) as port:
        yield port


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Give the application."""
    return load_application(APPLICATION)


@pytest.fixture
async def app(registry: Registry, any_store: Store, service_port: int) -> AsyncIterator[TestApp]:
    """Give the application on either store."""
    variables = {"EVENTS_SERVICE_URL": f"http://127.0.0.1:{service_port}"}
    variables |= {f"EVENTS_{each}_SECRET": SECRET for each in ("SERVICE", "PAYMENT", "DEPLOY")}
    async with asyncio.timeout(PATIENCE), TestApp(registry, any_store, variables=variables) as app:
        yield app


@pytest.fixture
async def night(app: TestApp) -> Concert:
    """Give a concert that its owner has just published."""
    return await concert(app.caller("ada@events.example"))
