"""What several tests of scheduled calls begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps import pooled


@pytest.fixture
def watch() -> Iterator[pooled.Watch]:
    """Give what the pooled functions are held up and counted by."""
    pooled.WATCH.append(pooled.Watch())
    yield pooled.WATCH[-1]
    pooled.WATCH.clear()
