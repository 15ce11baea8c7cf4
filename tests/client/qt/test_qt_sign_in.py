"""Signing in from Qt programs: what is told, on which thread, and nothing after the end; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = ("with_a_browser", "mistakes", "given_up", "codes")


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_signing_in(scene: str, binding: str) -> None:
    play(binding, f"client.qt.sign_in_scenes:{scene}")
