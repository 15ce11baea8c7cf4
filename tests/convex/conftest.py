"""A hub that serves the application of the conformance kit, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from helpers.convex_wire import KIT
from helpers.sync_server import Running, serving


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    store = "sqlite://:memory:"
    if request.param == "mongodb":
        uri, name = request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database_name")
        store = urlsplit(uri)._replace(path=f"/{name}").geturl()
    async with serving(application=KIT, store=store, settings={"convex": True}, drain_timeout=0.2) as running:
        yield running
