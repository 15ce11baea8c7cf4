"""The client of Qt programs: signals on Qt's thread, calls as objects, and nothing after the end; under both bindings."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from client.qt.scenes import BINDINGS, play

pytestmark = pytest.mark.slow

SCENES = (
    "signals_of_the_connection",
    "calls",
    "made_inside_an_event_loop_of_qt",
    "nothing_after_the_end",
    "a_receiver_that_is_gone",
    "a_version_that_is_known_to_break_is_refused_with_the_reason",
    "without_pyqtgraph",
)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_client(scene: str, binding: str) -> None:
    play(binding, f"client.qt.client_scenes:{scene}")


def test_a_client_made_inside_qtasyncio() -> None:
    try:
        version("PySide6-Addons")
    except PackageNotFoundError:
        pytest.skip(
            "QtAsyncio is in PySide6-Addons, which is not installed: 175 MB, of which it needs four files of Python"
        )
    play("PySide6", "client.qt.client_scenes:made_inside_qtasyncio")


def test_qt_stays_out_of_the_process_of_the_tests() -> None:
    """PySide6 looks into every later import, with calls that the tests of the server take for a fault of its own."""
    assert not {"PySide6", "PyQt6"} & sys.modules.keys()
