"""Models and clients in QML, under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_list_in_qml(binding: str) -> None:
    play(binding, "client.qt.qml_scenes:a_list")
