"""The fixtures of a project that names its application; it overrides each in its own ``conftest.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from synovia.functions.registry import Registry
    from synovia.store.base import Store
    from synovia.testing import TestApp


@pytest.fixture(scope="session")
def synovia_application(pytestconfig: pytest.Config) -> Registry:
    """Load the application that the setting names, once for all tests."""
    from synovia.functions.registry import load_application

    return load_application(pytestconfig.rootpath / str(pytestconfig.getini("synovia_application")))


@pytest.fixture
def synovia_store() -> str:
    """Name the store of each test: an empty one in memory."""
    return "sqlite://:memory:"


@pytest.fixture
def synovia_variables() -> dict[str, str]:
    """Give the variables in which the settings of the application are looked for, in place of the machine's: none."""
    return {}


async def _app(
    synovia_application: str | Path | Registry, synovia_store: str | Store, synovia_variables: dict[str, str]
) -> AsyncIterator[TestApp]:
    """Give the application on a store of its own, with a clock that the test moves."""
    from synovia.testing import TestApp

    async with TestApp(synovia_application, synovia_store, variables=synovia_variables) as app:
        yield app


def fixtures(config: pytest.Config) -> ModuleType:
    """Give the fixtures as a plugin, ``app`` as whatever plugin runs asynchronous ones here."""
    plugin = ModuleType("synovia_fixtures")
    plugin.__dict__.update(
        synovia_application=synovia_application,
        synovia_store=synovia_store,
        synovia_variables=synovia_variables,
        app=_async_fixture(config)(_app),
    )
    return plugin


def _async_fixture(config: pytest.Config) -> Callable[[Any], Any]:
    if not config.pluginmanager.hasplugin("asyncio"):
        return pytest.fixture(name="app")  # anyio runs it in tests that it runs
    import pytest_asyncio

    return pytest_asyncio.fixture(name="app")  # in both modes of pytest-asyncio
