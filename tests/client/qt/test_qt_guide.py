"""The code of docs/qt.md runs."""

from __future__ import annotations

import pytest

from client.qt.scenes import play

pytestmark = pytest.mark.slow


def test_the_guide_runs() -> None:
    play("PySide6", "client.qt.guide_scenes:the_guide_runs")
