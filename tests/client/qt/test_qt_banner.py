"""The strip that says that there is no connection, and what people read in their language; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = ("interrupted", "let_in_by_nobody", "languages", "colours_of_the_palette")


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_banner(scene: str, binding: str) -> None:
    play(binding, f"client.qt.banner_scenes:{scene}")


def test_translations_are_complete() -> None:
    play("PySide6", "client.qt.banner_scenes:translations_are_complete")
