"""Item models follow live queries exactly, under both bindings, with Qt's own tester in fatal mode."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = (
    "random_patches",
    "shuffled_lists",
    "a_thousand_updates",
    "exact_signals",
    "live_lists",
    "empty_lists",
    "a_busy_interface",
    "pages_and_arguments",
    "editing",
    "an_edit_that_is_never_sent",
    "models_that_go",
    "a_query_that_fails",
    "mistakes",
)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_model(scene: str, binding: str) -> None:
    play(binding, f"client.qt.model_scenes:{scene}")
