"""Curves of arrays and of growing sessions: what is fetched when, and what is drawn meanwhile; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = (
    "outline_and_ranges",
    "outdated_ranges",
    "gaps",
    "errors_and_other_arrays",
    "a_curve_that_goes",
    "a_growing_session",
    "samples_that_come_with_the_news",
    "a_session_that_is_none",
    "pyqtgraph_of_another_binding",
)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_curve(scene: str, binding: str) -> None:
    play(binding, f"client.qt.plot_scenes:{scene}")
