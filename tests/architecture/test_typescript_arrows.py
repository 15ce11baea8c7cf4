"""The files of the JavaScript client, of the dashboard and of the Motion Desk build on each other in one direction."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from architecture.typescript_graph import graph_of, packages_of, specifiers_in

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "js" / "src"
DASHBOARD = ROOT / "server" / "dashboard" / "src"
DESK = ROOT / "apps" / "motion" / "desk" / "src"

FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "client": (("protocol",), ("",), ("react", "desktop"), ("yjs",)),
    "dashboard": (
        ("api", "ui", "browser", "session"),
        ("hub",),
        ("data", "functions", "logs", "live", "clients", "calls", "health"),
        ("app",),
        ("",),
    ),
    "desk": (
        ("api", "ui", "browser"),
        ("session",),
        ("plot",),
        ("recordings",),
        ("people", "live"),
        ("auth", "admin"),
        ("app",),
        ("",),
    ),
}
"""Folders from the ground up, "" being the files beside them. Folders of one floor may not know each other."""

SOURCES = {"client": CLIENT, "dashboard": DASHBOARD, "desk": DESK}
GENERATED = ("api/api.ts",)


def _graph_of(name: str) -> dict[str, set[str]]:
    return graph_of(SOURCES[name], GENERATED if name == "desk" else ())


def room_of(file: str) -> str:
    return file.rpartition("/")[0].partition("/")[0]


@pytest.mark.parametrize("name", SOURCES)
def test_no_files_import_each_other_in_a_circle(name: str) -> None:
    try:
        list(TopologicalSorter(_graph_of(name)).static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("name", SOURCES)
def test_no_import_runs_up(name: str) -> None:
    floors = {room: number for number, rooms in enumerate(FLOORS[name]) for room in rooms}
    graph = _graph_of(name)
    assert {room_of(file) for file in graph} <= set(floors), "every folder has a floor"
    upward = [
        f"{file} imports {target}"
        for file, targets in graph.items()
        for target in targets
        if room_of(file) != room_of(target) and floors[room_of(target)] >= floors[room_of(file)]
    ]
    assert not upward, "\n".join(sorted(upward))


def test_only_the_hooks_know_react_and_nothing_else_is_needed() -> None:
    shared = {"yjs", "y-protocols/awareness", "react"}
    needed = {"react": {"react"}, "yjs": shared, "desktop/node.ts": {"node:http", "node:net"}}
    for file, packages in packages_of(CLIENT).items():
        assert packages <= needed.get(file, needed.get(room_of(file), set())), file


def test_what_is_for_node_is_a_front_door_of_its_own() -> None:
    assert not [file for file, targets in _graph_of("client").items() if "desktop/node.ts" in targets]


def test_pages_take_the_client_only_by_its_front_door() -> None:
    known = {"synovia-client", "synovia-client/react"}
    for file, packages in {**packages_of(DESK), **packages_of(DASHBOARD)}.items():
        assert {name for name in packages if name.startswith("synovia")} <= known, file


def test_the_check_sees_every_form_of_import(tmp_path: Path) -> None:
    text = """
import { a } from "./a.js";
import type {
  B,
} from "./b.ts";
export * from "./c.tsx";
import "./d.css";
const e = await import("./e.js");
import React, { useState } from "react";
"""
    assert specifiers_in(text) == ["./a.js", "./b.ts", "./c.tsx", "./d.css", "./e.js", "react"]
    for name in ("a.ts", "b.ts", "c.tsx", "e.ts"):
        (tmp_path / name).write_text("")
    (tmp_path / "all.ts").write_text(text)
    assert graph_of(tmp_path)["all.ts"] == {"a.ts", "b.ts", "c.tsx", "e.ts"}
    (tmp_path / "a.ts").write_text('import { all } from "./all.js";')
    with pytest.raises(CycleError):
        TopologicalSorter(graph_of(tmp_path)).prepare()
