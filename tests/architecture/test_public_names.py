"""What is public is there, and the applications import nothing else."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.public_modules import PROTOCOL, PUBLIC, exported_by

ROOT = Path(__file__).resolve().parents[2]
APPLICATIONS = ROOT / "apps"
PACKAGES = ("synovia", "synovia_client", "synovia_protocol")


def imports_in(path: Path) -> Iterator[tuple[str, str | None]]:
    """List what a file imports of Synovia's packages: modules and, of those, names; None: the module itself."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.partition(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in PACKAGES:
            yield from ((node.module, alias.name) for alias in node.names)


def is_public(module: str, name: str | None) -> bool:
    if module.partition(".")[0] == "synovia_protocol":
        return module.removeprefix("synovia_protocol.") in PROTOCOL
    if name is None or f"{module}.{name}" in PUBLIC:
        return (module if name is None else f"{module}.{name}") in PUBLIC
    return module in PUBLIC and name in exported_by(module)


def faults_of(path: Path) -> list[str]:
    return [f"{path}: {module} {name or ''}" for module, name in imports_in(path) if not is_public(module, name)]


def test_applications_import_only_what_is_public() -> None:
    files = [path for path in APPLICATIONS.rglob("*.py") if "node_modules" not in path.parts]
    assert len(files) > 30, "the test looks in the wrong place"
    assert [fault for path in files for fault in faults_of(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "from synovia.functions.query import Query",
        "from synovia import _LATER",
        "from synovia import app",
        "import synovia.engine.engine",
        "from synovia_client.link import Link",
        "def f():\n    from synovia.errors import BadCursor",
        "from synovia_protocol.server_session import ServerSession",
    ],
)
def test_the_check_sees_what_is_not_public(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.py"
    path.write_text(f"from synovia import Query, http\n{line}\n")
    assert len(faults_of(path)) == 1


@pytest.mark.slow
def test_each_that_is_listed_can_be_imported_first_and_has_what_it_lists() -> None:
    code = """if True:
        import os, sys
        import bson, httpx2, msgpack, numpy, pydantic, pymongo, starlette, uvicorn, websockets
        def look(name):
            module = __import__(name, fromlist=["*"])
            assert len(set(module.__all__)) == len(module.__all__)
            assert [each for each in module.__all__ if not hasattr(module, each)] == []
            assert set(module.__all__) <= set(dir(module))
        for name in sys.argv[1:]:
            assert name.partition(".")[0] not in sys.modules
            if not (child := os.fork()):
                look(name)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, name
    """
    subprocess.run([sys.executable, "-c", code, *PUBLIC], check=True)


def test_every_public_module_has_a_place_in_the_pages() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    public = page.partition("## What is public")[2].partition("\n## ")[0]
    assert [name for name in PUBLIC if f"`{name}`" not in public] == []


def test_a_name_that_is_not_there_is_missed_in_pythons_words() -> None:
    synovia = importlib.import_module("synovia")
    with pytest.raises(AttributeError, match=r"^module 'synovia' has no attribute 'Sinovia'$"):
        _ = synovia.Sinovia
    with pytest.raises(ImportError, match="cannot import name 'Sinovia' from 'synovia'"):
        exec("from synovia import Sinovia")


@pytest.mark.slow
def test_names_that_come_later_are_listed_before_they_are_loaded() -> None:
    code = (
        "import sys, synovia; assert {'Synovia', 'Settings'} <= set(dir(synovia));"
        "assert 'starlette' not in sys.modules; from synovia import Synovia, Settings;"
        "assert 'starlette' in sys.modules and synovia.Synovia is Synovia"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
