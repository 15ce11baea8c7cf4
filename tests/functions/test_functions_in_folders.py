"""Where an application's functions may lie, and what they are called."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers.written_applications import function, refusal_of, write_application
from synovia.functions.registry import load_application
from synovia.testing import TestApp


def paths_of(folder: Path, files: Mapping[str, str] | str) -> list[str]:
    return sorted(load_application(write_application(folder, files)).functions)


@pytest.mark.parametrize("package", [True, False], ids=["with __init__", "without __init__"])
async def test_modules_lie_in_folders_and_import_each_other(tmp_path: Path, package: bool) -> None:
    files = {
        "schema.py": 'class Organization(Table, name="organizations"):\n    title: str\n',
        "mutations/organizations.py": """
            from ..schema import Organization

            @mutation(public=True)
            async def create(ctx: MutationContext, title: str) -> Id[Organization]:
                return await ctx.db.insert(Organization(title=title))
        """,
        "queries/by/name.py": """
            from ...schema import Organization

            @query(public=True)
            async def titles(ctx: QueryContext) -> list[str]:
                return [each.title for each in await ctx.db.query(Organization).collect()]
        """,
        "messages.py": function("newest"),
    }
    if package:
        files |= {
            "__init__.py": "",
            "mutations/__init__.py": "",
            "queries/__init__.py": "",
            "queries/by/__init__.py": "",
        }
    async with TestApp(write_application(tmp_path, files)) as app:
        assert sorted(app.registry.functions) == [
            "messages:newest",
            "mutations/organizations:create",
            "queries/by/name:titles",
        ]
        await app.caller().mutation("mutations/organizations:create", {"title": "Clinic"})
        assert await app.caller().query("queries/by/name:titles") == ["Clinic"]


def test_what_is_not_looked_into(tmp_path: Path) -> None:
    broken = "raise RuntimeError('this was imported')"
    skipped = [
        "_helpers.py", "_inside/a.py", "test_it.py", "tests/a.py", "cli.py", "cli/a.py", "demo/a.py", "conftest.py",
        "queries/_helpers.py", "node_modules/gyp/a.py", ".hidden/a.py", "venv/lib/a.py", "__main__.py",
        "desk/node_modules/a.py",
    ]  # fmt: skip
    files = {**dict.fromkeys(skipped, broken), "venv/pyvenv.cfg": "", "desk/package.json": "{}"}
    looked = {"queries/a.py": function(), "lab/tests.py": function(), "a/b/c/d.py": function()}
    path = write_application(tmp_path, files | looked)
    assert sorted(load_application(path).functions) == ["a/b/c/d:f", "lab/tests:f", "queries/a:f"]
    assert f"{path.name}.desk" not in sys.modules


def test_a_folder_says_what_is_looked_into(tmp_path: Path) -> None:
    broken = "raise RuntimeError('this was imported')"
    files = {
        "__init__.py": '__synovia_modules__ = ("functions", "cli")',
        "scripts/run.py": broken,
        "cli.py": function(),
        "functions/__init__.py": '__synovia_modules__ = ["one"]',
        "functions/one.py": function(),
        "functions/two.py": broken,
    }
    assert paths_of(tmp_path, files) == ["cli:f", "functions/one:f"]


@pytest.mark.parametrize("said", ['"functions"', "(1,)", '("nowhere",)'])
def test_a_folder_that_says_what_is_not_there(tmp_path: Path, said: str) -> None:
    text = refusal_of(tmp_path, {"__init__.py": f"\n\n__synovia_modules__ = {said}", "functions/a.py": function()})
    assert "__init__.py:5: " in text
    assert "nowhere" in text or "is a tuple of names" in text


def test_a_module_or_a_folder_says_another_path(tmp_path: Path) -> None:
    files = {
        "old.py": '__synovia_path__ = "recordings/kept"\n' + function("a"),
        "functions/__init__.py": '__synovia_path__ = ""',
        "functions/users.py": function("b"),
        "functions/deep/er.py": function("c"),
        "v2/__init__.py": '__synovia_path__ = "api/v2"\n' + function("d"),
        "v2/users.py": function("e"),
    }
    assert paths_of(tmp_path, files) == ["api/v2/users:e", "api/v2:d", "deep/er:c", "recordings/kept:a", "users:b"]


@pytest.mark.parametrize("said", ["''", "'a b'", "'a//b'", "'a:b'", "'/a'", "'_a'", "'a/_b'", "'a-b'", "'a.b'", "3"])
def test_a_path_that_no_module_can_have(tmp_path: Path, said: str) -> None:
    text = refusal_of(tmp_path, {"a.py": f"\n__synovia_path__ = {said}\n" + function()})
    assert "a.py:4: " in text
    assert "cannot be a module's path" in text


def test_a_function_of_a_folder_without_a_path_has_none(tmp_path: Path) -> None:
    text = refusal_of(tmp_path, {"functions/__init__.py": '__synovia_path__ = ""\n' + function()})
    assert "__init__.py:5: ':f' cannot be a path" in text


def test_a_function_in_a_file_that_cannot_be_a_path(tmp_path: Path) -> None:
    assert "a-b.py:4: 'a-b:f' cannot be a path" in refusal_of(tmp_path, {"a-b.py": function()})
    assert paths_of(tmp_path, {"a-b.py": "__synovia_path__ = 'a_b'\n" + function()}) == ["a_b:f"]


async def test_a_function_says_its_name_on_the_wire(tmp_path: Path) -> None:
    text = function("list_", 'public=True, name="list"') + function("set_", "name='set', public=True", "mutation")
    path = write_application(tmp_path, text + function("go", "name='act', public=True", "action"))
    async with TestApp(path) as app:
        assert sorted(app.registry.functions) == [f"{path.stem}:{name}" for name in ("act", "list", "set")]
        assert await app.caller().query(f"{path.stem}:list") == "list_"


def test_a_name_that_none_can_have(tmp_path: Path) -> None:
    assert "f: 'a b' cannot be its name" in refusal_of(tmp_path, function(access="public=True, name='a b'"))


def test_a_module_beside_a_folder_of_its_name(tmp_path: Path) -> None:
    for inside in ("messages/__init__.py", "messages/a.py"):
        text = refusal_of(tmp_path, {"messages.py": function(), inside: function()})
        assert "messages.py and the folder" in text
    assert paths_of(tmp_path, {"messages.py": function(), "messages/notes.txt": ""}) == ["messages:f"]


def test_a_link_back_up_is_not_followed(tmp_path: Path) -> None:
    path = write_application(tmp_path, {"a.py": function(), "b/c.py": function()})
    (path / "b" / "again").symlink_to(path, target_is_directory=True)
    assert sorted(load_application(path).functions) == ["a:f", "b/c:f"]


def test_a_function_belongs_to_the_module_that_declares_it(tmp_path: Path) -> None:
    files = {"a/one.py": function(), "two.py": "from .a.one import f\ng = f\n"}
    assert paths_of(tmp_path, files) == ["a/one:f"]


def test_folders_that_lie_too_deep_are_refused(tmp_path: Path) -> None:
    assert paths_of(tmp_path, {"f/" * 11 + "a.py": function()}) == ["f/" * 11 + "a:f"]
    assert "folders lie more than 12 deep" in refusal_of(tmp_path, {"f/" * 30 + "a.py": function()})
