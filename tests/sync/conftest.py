"""Fixtures for tests of query sets over a scripted engine."""

from __future__ import annotations

import pytest

from helpers.scripted_engine import ScriptedEngine
from sync.scripted import Pair


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def pair(engine: ScriptedEngine) -> Pair:
    return Pair(engine)
