"""The motion application on a real hub, on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from helpers.running_hub import RunningHub, running_hub


@pytest.fixture
def mongodb_store(mongodb_uri: str, database_name: str) -> str:
    """The address of a database of this test's own."""
    base, _, options = mongodb_uri.partition("/?")
    return f"{base}/{database_name}?{options}"


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningHub]:
    store = f"sqlite:////{tmp_path / 'clinic.db'}"
    if request.param == "mongodb":
        store = request.getfixturevalue("mongodb_store")
    async with running_hub(store) as clinic:
        yield clinic
