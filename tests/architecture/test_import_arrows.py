"""The arrows between the parts of the house, as docs/architecture.md draws them, hold in the code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.import_graph import imports_of, modules_in

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "synovia_protocol": ROOT / "protocol" / "synovia_protocol",
    "synovia_client": ROOT / "clients" / "python" / "synovia_client",
    "synovia_qt": ROOT / "clients" / "qt" / "synovia_qt",
    "synovia": ROOT / "server" / "synovia",
    "motion": ROOT / "apps" / "motion",
}

FORBIDDEN = {
    # part: packages it must not import
    "synovia_protocol": (
        "synovia",
        "synovia_client",
        "starlette",
        "pymongo",
        "bson",
        "websockets",
        "pydantic",
        "asyncio",
    ),
    "synovia_qt": ("synovia", "starlette", "uvicorn", "pymongo", "bson", "pydantic"),
    "synovia_client": ("synovia", "synovia_qt", "starlette", "uvicorn", "pymongo", "bson", "pydantic"),
    "synovia": ("synovia_client", "motion"),
    "synovia.engine": (
        "synovia.sync",
        "synovia.scheduler",
        "synovia.http",
        "synovia.app",
        "synovia.cli",
        "synovia.store.mongo",
        "synovia.store.sqlite",
        "starlette",
        "uvicorn",
        "pymongo",
        "sqlite3",
        "websockets",
    ),
    "synovia.scheduler": (
        "synovia.sync",
        "synovia.http",
        "synovia.auth",
        "synovia.app",
        "synovia.cli",
        "synovia.store.mongo",
        "synovia.store.sqlite",
        "starlette",
        "uvicorn",
        "pymongo",
        "sqlite3",
    ),
    "synovia.codegen": (
        "synovia.engine",
        "synovia.sync",
        "synovia.http",
        "synovia.store",
        "synovia.app",
        "synovia.cli",
    ),
    "synovia.sync": (
        "synovia.scheduler",
        "synovia.engine",
        "synovia.auth",
        "synovia.codegen",
        "synovia.app",
        "synovia.store.mongo",
        "synovia.store.sqlite",
        "pymongo",
        "sqlite3",
        "synovia.cli",
        "synovia.http",
    ),
    "synovia.http": (
        "synovia.cli",
        "synovia.codegen",
        "synovia.store.mongo",
        "synovia.store.sqlite",
        "pymongo",
        "sqlite3",
        "typer",
    ),
    "synovia.auth": (
        "synovia.scheduler",
        "synovia.sync",
        "synovia.http",
        "synovia.app",
        "synovia.cli",
        "synovia.store.mongo",
        "synovia.store.sqlite",
        "uvicorn",
        "pymongo",
        "sqlite3",
    ),
    "synovia.store": (
        "synovia.scheduler",
        "synovia.auth",
        "synovia.sync",
        "synovia.http",
        "synovia.app",
        "synovia.cli",
        "synovia.functions",
        "synovia.schema.tables",
        "synovia.schema.ids",
        "synovia.schema.values",
        "synovia.transaction",
        "synovia.engine",
        "starlette",
        "uvicorn",
    ),
}


def modules_of(part: str) -> Iterator[tuple[str, Path]]:
    package, *rest = part.split(".")
    return modules_in(SOURCES[package].joinpath(*rest), part)


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.slow
@pytest.mark.parametrize("part", FORBIDDEN)
def test_no_arrow_points_the_wrong_way(part: str) -> None:
    modules = list(modules_of(part))
    assert modules, f"{part} has no modules: the test looks in the wrong place"
    wrong = [
        f"{module} imports {name}"
        for module, path in modules
        for name in sorted(imports_of(module, path))
        if any(is_inside(name, package) for package in FORBIDDEN[part])
    ]
    assert not wrong, "\n".join(wrong)


def test_the_check_sees_a_relative_import(tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text("from ..store import mongo\nfrom . import live\n")
    assert imports_of("synovia.engine.x", source) >= {"synovia.store.mongo", "synovia.engine.live"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "unwanted"),
    [
        ("synovia_client", ("starlette", "pymongo", "bson", "pydantic", "synovia")),
        ("synovia_protocol", ("starlette", "pymongo", "bson", "websockets", "synovia")),
        ("synovia", ("starlette", "uvicorn")),
    ],
)
def test_importing_brings_nothing_unneeded(package: str, unwanted: tuple[str, ...]) -> None:
    code = f"import sys, {package}; print(*(name for name in {unwanted!r} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
