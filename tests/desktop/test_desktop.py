"""The Motion Desk as a Qt program, offscreen on a real hub; each scene in a process of its own."""

from __future__ import annotations

import sys

import pytest

from helpers.qt_scenes import play

pytestmark = pytest.mark.slow

SCENES = (
    "signing_in",
    "a_newcomer",
    "changes_of_others",
    "renaming_in_the_list",
    "what_cannot_be_pressed",
    "searching",
    "plots",
)


WORK = (
    "notes_and_tags",
    "sharing",
    "archiving",
    "dropping_files",
    "live_recording",
    "no_connection",
    "people",
)


@pytest.mark.parametrize("scene", WORK)
def test_the_work_in_a_measuring_room(scene: str) -> None:
    play("PySide6", f"desktop.work_scenes:{scene}")


@pytest.mark.parametrize("scene", ["with_the_browser", "with_a_code_by_mail"])
def test_the_way_in(scene: str) -> None:
    play("PySide6", f"desktop.sign_in_scenes:{scene}")


@pytest.mark.parametrize("scene", SCENES)
def test_the_desk(scene: str) -> None:
    play("PySide6", f"desktop.desk_scenes:{scene}")


def test_qt_stays_out_of_the_process_of_the_tests() -> None:
    assert "PySide6" not in sys.modules
