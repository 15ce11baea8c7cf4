"""The Motion Desk as a Qt program, offscreen on a real hub; each scene in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from helpers.motion_people import motion
from helpers.qt_scenes import play
from helpers.running_hub import running_hub
from motion.demo.seed import seed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("clinic")]

SCENES = (
    "signing_in",
    "a_newcomer",
    "changes_of_others",
    "renaming_in_the_list",
    "what_cannot_be_pressed",
    "by_keys_alone",
    "searching",
    "plots",
)


WORK = (
    "notes_and_tags",
    "a_draft_at_the_end",
    "sharing",
    "archiving",
    "dropping_files",
    "choosing_files",
    "live_recording",
    "measuring_from_a_program",
    "no_connection",
    "people",
)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a database with people and recordings."""
    file = tmp_path_factory.mktemp("seeded") / "hub.db"
    asyncio.run(fill(file))
    return file


async def fill(file: Path) -> None:
    async with running_hub(f"sqlite:///{file}", motion()) as hub:
        await seed(f"ws://127.0.0.1:{hub.port}")


@pytest.fixture
def clinic(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub of each scene have a copy of it."""
    monkeypatch.setenv("SEEDED_CLINIC", str(seeded))


@pytest.mark.parametrize("scene", WORK)
def test_the_work_in_a_measuring_room(scene: str) -> None:
    play("PySide6", f"desktop.work_scenes:{scene}")


@pytest.mark.parametrize("scene", ["with_the_browser", "with_a_code_by_mail"])
def test_the_way_in(scene: str) -> None:
    play("PySide6", f"desktop.sign_in_scenes:{scene}", in_full=True)


@pytest.mark.parametrize("scene", SCENES)
def test_the_desk(scene: str) -> None:
    play("PySide6", f"desktop.desk_scenes:{scene}")


def test_qt_stays_out_of_the_process_of_the_tests() -> None:
    assert "PySide6" not in sys.modules
