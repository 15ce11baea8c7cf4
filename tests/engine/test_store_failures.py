"""What the log says while the store fails every call in the same way."""

from __future__ import annotations

import pytest

from synovia.engine.outcomes import AGAIN_SECONDS, StoreFailures
from synovia.store.base import StoreUnavailable


def test_the_same_failure_is_told_once_in_a_while_and_another_at_once(caplog: pytest.LogCaptureFixture) -> None:
    now = 1000.0
    failures = StoreFailures(lambda: now)
    full, away = StoreUnavailable("the disk is full"), StoreUnavailable("nobody answers")
    for _ in range(200):
        failures.tell(full)
    failures.tell(away)
    failures.tell(full)
    now += AGAIN_SECONDS
    failures.tell(full)
    assert [each.getMessage() for each in caplog.records] == [
        "the store failed: the disk is full",
        "the store failed: nobody answers (199 more since the last such line)",
        "the store failed: the disk is full",
        "the store failed: the disk is full",
    ]
