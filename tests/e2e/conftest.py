"""The motion application on a real hub, on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from helpers.running_hub import RunningHub, running_hub


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
async def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningHub]:
    store = f"sqlite:////{tmp_path / 'clinic.db'}"
    if request.param == "mongodb":
        store = request.getfixturevalue("mongodb_store")
    async with running_hub(store) as clinic:
        yield clinic
