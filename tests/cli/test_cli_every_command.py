"""Every command: JSON for programs, exit codes, and on a pipe nothing but text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from helpers.written_applications import write_application
from synovia.cli.commands import app as commands

APPLICATION = """
class Note(Table):
    text: str

class Mine(Env):
    size: int = 3

@seed
async def first(ctx: MutationContext) -> None:
    await ctx.db.insert(Note(text="hello"))

@query(public=True)
async def texts(ctx: QueryContext) -> list[str]:
    return [each.text for each in await ctx.db.query(Note).collect()]
"""
SERVERS = {"dev", "serve"}
"""They run until they are ended; what they do is in their log."""
ALWAYS_JSON = {"run"}
BESIDE_A_HUB = {"logs", "data", "call"}
"""Tried in test_cli_watching, which runs a hub."""


def commands_of(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Give every command with the words that call it."""
    inner: dict[str, Any] = getattr(group, "commands", {})
    for word, command in inner.items():
        yield from commands_of(command, f"{name} {word}".strip())
    if not inner:
        yield name, group


COMMANDS = dict(commands_of(get_command(commands)))


def options_of(command: Any) -> set[str]:
    return {option for each in command.params for option in each.opts}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [*map(str, arguments)], env={"SYNOVIA_STORE": None, "COLUMNS": "200"})


class Scene:
    """An application, a database with a document in it, and files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.application = write_application(folder, APPLICATION)
        self.store = f"sqlite:///{folder / 'notes.db'}"
        self.key = json.loads(
            run("key", "create", "billing", "--role", "service", "--store", self.store, "--json").stdout
        )

    def arguments(self, name: str) -> list[object]:
        """Give arguments with which a command does its work."""
        store: list[object] = ["--store", self.store]
        file, data = self.folder / "all.synovia", self.folder / "data.synovia"
        found: dict[str, list[object]] = {
            "run": [self.application, f"{self.application.stem}:texts", *store],
            "sweep": store,
            "key create": ["other", "--role", "service", *store],
            "key list": store,
            "key revoke": [self.key["id"], *store],
            "encryption new": ["2027"],
            "encryption keys": [self.application, *store],
            "encryption rotate": [self.application, *store],
            "aggregates": [self.application, *store],
            "calls": store,
            "migrate": [self.application, *store],
            "seed": [self.application, *store],
            "env": [self.application, *store],
            "export": [data, *store, "--force"],
            "backup": [file, *store, "--force"],
            "import": [data, "--store", f"sqlite:///{self.folder / 'b.db'}"],
            "restore": [file, "--store", f"sqlite:///{self.folder / 'c.db'}"],
            "doctor": [self.application, *store],
            "codegen": [self.application, "--py", self.folder / "client"],
            "access": [self.application, "--as", "somebody=ada@example.org"],
            "reset": [*store, "--yes"],
        }
        return found[name]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    found = Scene(tmp_path_factory.mktemp("scene"))
    run("seed", found.application, "--store", found.store)
    run("backup", found.folder / "all.synovia", "--store", found.store)
    run("export", found.folder / "data.synovia", "--store", found.store)
    return found


TRIED = [name for name in COMMANDS if name not in SERVERS | BESIDE_A_HUB]


@pytest.mark.parametrize("name", COMMANDS)
def test_programs_can_read_what_it_says(name: str) -> None:
    assert ("--json" in options_of(COMMANDS[name])) == (name not in SERVERS | ALWAYS_JSON)


@pytest.mark.parametrize("name", TRIED)
def test_with_json_it_prints_one_value_and_nothing_else(name: str, scene: Scene) -> None:
    asked: list[object] = [*name.split(), *scene.arguments(name)]
    done = run(*asked, *(() if name in ALWAYS_JSON else ("--json",)))
    assert done.exit_code == 0, done.output
    found: Any = json.loads(done.stdout)
    assert isinstance(found, dict | list)
    assert "\x1b" not in done.output, "no colours on a pipe"


@pytest.mark.parametrize("name", [name for name in TRIED if name not in {"key revoke", "reset"}])
def test_on_a_pipe_it_says_words(name: str, scene: Scene) -> None:
    if name in ("import", "restore"):
        for each in ("b.db", "c.db"):
            (scene.folder / each).unlink(missing_ok=True)
    done = run(*name.split(), *scene.arguments(name))
    assert done.exit_code == 0, done.output
    for mark in ("\x1b", "\r", "█", "━"):
        assert mark not in done.output, "neither colours nor bars on a pipe"


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_usage_ends_with_2(name: str) -> None:
    done = run(*name.split(), "--no-such-option")
    assert (done.exit_code, "Traceback" in done.output) == (2, False)


WITH_STORE = [name for name in TRIED if "--store" in options_of(COMMANDS[name]) and name != "doctor"]


@pytest.mark.parametrize("name", WITH_STORE)
def test_a_database_that_cannot_be_opened_ends_with_4(name: str, scene: Scene) -> None:
    arguments = [*map(str, scene.arguments(name))]
    other = scene.folder / "other.db"
    other.write_bytes(b"this is no database\n" * 500)
    arguments[arguments.index("--store") + 1] = f"sqlite:///{other}"
    done = run(*name.split(), *arguments)
    assert (done.exit_code, "Traceback" in done.output) == (4, False), done.output
    assert "error: the store: " in done.output


NEEDS_APPLICATION = [
    name for name, command in COMMANDS.items() if any(each.name == "path" and each.required for each in command.params)
]


@pytest.mark.parametrize("name", NEEDS_APPLICATION)
def test_an_application_that_is_not_there_ends_with_2(name: str, tmp_path: Path) -> None:
    more: dict[str, list[object]] = {
        "codegen": ["--py", tmp_path],
        "run": ["x:y"],
        "serve": ["--store", "sqlite://:memory:"],
    }
    done = run(*name.split(), tmp_path / "nothing", *more.get(name, []))
    assert (done.exit_code, "there is no application at" in done.output) == (2, True), done.output
