"""The code of docs/qt.md runs."""

from __future__ import annotations

from client.qt.scenes import play


def test_the_guide_runs() -> None:
    play("PySide6", "client.qt.guide_scenes:the_guide_runs")
