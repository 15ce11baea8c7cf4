"""Fixtures for embedded stores whose clock is moved."""

from __future__ import annotations

import pytest

from store.moved_clock import START, Opener, opener
from synovia.testing.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def opened(clock: Clock) -> Opener:
    return opener(clock)
