"""Where what tests share lies: in ``helpers`` and ``apps``, or beside the tests of one room; in no test and no conftest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.import_graph import imports_of

TESTS = Path(__file__).resolve().parents[1]
SHARED = {"helpers", "apps", "torture"}
"""The torture has hubs as processes, which other tests use too."""
ROOMS = {path.name for path in TESTS.iterdir() if path.is_dir()}
PROGRAMS = {"conftest.py", "suites.py"}


def files() -> Iterator[Path]:
    return (path for path in TESTS.rglob("*.py") if "node_modules" not in path.parts)


@pytest.mark.slow
def test_nobody_imports_a_test_or_a_conftest() -> None:
    for path in files():
        parts = {part for name in imports_of("tests", path) for part in name.split(".") if name.split(".")[0] in ROOMS}
        assert not [part for part in parts if part == "conftest" or part.startswith("test_")], path


def test_tests_and_helpers_lie_in_folders() -> None:
    assert {path.name for path in TESTS.glob("*.py")} == PROGRAMS


def test_what_several_rooms_need_is_shared() -> None:
    for path in files():
        room = path.relative_to(TESTS).parts[0]
        names = {name for name in imports_of("tests", path) if name.split(".")[0] in ROOMS - SHARED - {room}}
        beside = {name for name in names if (TESTS / Path(*name.split("."))).with_suffix(".py").is_file()}
        assert not beside, f"{path.relative_to(TESTS)} imports {beside}"
