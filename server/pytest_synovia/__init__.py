"""The pytest plugin of Synovia: a fixture ``app`` in projects whose settings name an application.

::

    [tool.pytest.ini_options]
    synovia_application = "chat"

Without that setting it does nothing, and it imports nothing of the server before a test asks for a fixture of its own.
"""

from __future__ import annotations

import pytest

SETTING = "synovia_application"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting."""
    parser.addini(SETTING, "The folder or file of the application that the fixture `app` runs, from the rootdir.")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the fixtures to a project that names an application."""
    if config.getini(SETTING):
        from pytest_synovia.fixtures import fixtures

        config.pluginmanager.register(fixtures(config), "synovia fixtures")
