"""Where education runs in these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a database of the test's own, on each store."""
    if request.param == "sqlite":
        yield "sqlite://:memory:"
        return
    base, _, options = str(request.getfixturevalue("mongodb_uri")).partition("/?")
    yield f"{base}/{request.getfixturevalue('database_name')}?{options}"
