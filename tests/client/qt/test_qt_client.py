"""The client of Qt programs: signals on Qt's thread, calls as objects, and nothing after the end; under both bindings."""

from __future__ import annotations

import pytest

from client.qt.scenes import BINDINGS, play
from synovia_qt import binding as qt_binding

SCENES = (
    "signals_of_the_connection",
    "calls",
    "made_inside_an_event_loop_of_qt",
    "nothing_after_the_end",
    "a_receiver_that_is_gone",
)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_client(scene: str, binding: str) -> None:
    play(binding, f"client.qt.client_scenes:{scene}")


def test_a_version_that_is_known_to_break_is_refused_with_the_reason() -> None:
    with pytest.raises(ImportError, match=r"6\.12\.0 loses references"):
        qt_binding.check("PySide6", "6.12.0", (3, 11))
    qt_binding.check("PySide6", "6.12.0", (3, 12))
    qt_binding.check("PySide6", "6.11.3", (3, 11))
