"""The rooms of the server build on each other: no import runs from a lower floor to a higher one, and none in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from architecture.import_graph import circles, graph_of

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "server" / "synovia"
DISTRIBUTIONS = {
    "synovia": SERVER,
    "synovia_protocol": ROOT / "protocol" / "synovia_protocol",
    "synovia_client": ROOT / "clients" / "python" / "synovia_client",
    "synovia_qt": ROOT / "clients" / "qt" / "synovia_qt",
    "motion": ROOT / "apps" / "motion",
}

FLOORS: tuple[tuple[str, ...], ...] = (
    ("keys",),
    (
        "charges",
        "errors",
        "health",
        "identity",
        "tasks",
        "turns",
        "processes",
        "hosts",
        "clock_jumps",
        "sparingly",
        "sealing",
    ),
    ("schema", "aggregates", "search", "shared_docs", "vectors"),
    ("store",),
    ("transaction",),
    ("functions",),
    ("engine",),
    ("limits", "mail", "hubs", "presence"),
    ("auth", "scheduler", "migrations", "seeding", "maintenance", "files"),
    ("sync", "convex"),
    ("http",),
    ("metrics", "tracing", "dashboard"),
    ("config",),
    ("app",),
    ("codegen", "testing", "export"),
    ("convex_export",),
    ("cli",),
)
"""From the ground up. Rooms of one floor may know each other."""


def floor_of(module: str) -> int | None:
    """Tell the floor of a module; None for the package itself, the front door."""
    room = [*module.split("."), ""][1]
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def test_every_room_has_a_floor() -> None:
    rooms = {path.stem for path in SERVER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__"} == {room for rooms in FLOORS for room in rooms}


def test_no_import_runs_up() -> None:
    upward = [
        f"{module} imports {target}"
        for module, targets in graph_of(SERVER, "synovia").items()
        for target in targets
        if (here := floor_of(module)) is not None and (there := floor_of(target)) is not None and there > here
    ]
    assert not upward, "\n".join(sorted(upward))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_no_files_import_each_other_in_a_circle(distribution: str) -> None:
    graph = graph_of(DISTRIBUTIONS[distribution], distribution)
    assert len(graph) > 5, "the test looks in the wrong place"
    assert circles(graph) == []


def test_the_check_finds_a_circle_and_an_arrow_into_a_package(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (tmp_path / "__init__.py").write_text("")
    (room / "__init__.py").write_text("")
    (room / "a.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pack.room import b\n")
    (room / "b.py").write_text("def late() -> None:\n    from .a import name\n")
    graph = graph_of(tmp_path, "pack")
    assert graph["pack.room.a"] == {"pack.room.b"}
    assert circles(graph) == [["pack.room.a", "pack.room.b"]]
