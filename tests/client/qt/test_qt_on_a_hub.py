"""Windows on a real hub, with Qt's own tester in fatal mode; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = ("two_lists_that_are_stirred", "a_busy_interface_and_the_end", "a_hub_that_stops")


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_window(scene: str, binding: str) -> None:
    play(binding, f"client.qt.hub_scenes:{scene}", in_full=True)
