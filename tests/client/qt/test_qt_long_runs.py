"""What a program sees that runs for long: editors and places stay, memory does not grow; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = ("an_open_editor_and_the_place", "memory_of_many_changes", "references_on_every_emit", "a_hub_that_stops")


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_long_run(scene: str, binding: str) -> None:
    play(binding, f"client.qt.long_run_scenes:{scene}")
