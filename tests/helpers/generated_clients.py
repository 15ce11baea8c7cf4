"""Generating an application's typed clients and compiling programs with them, whose comments say which lines are wrong."""

from __future__ import annotations

from pathlib import Path

from helpers.compiling import check_python, check_typescript, expected
from synovia.codegen import generate
from synovia.functions.registry import load_application


def checked_python(application: Path, program: str, folder: Path) -> None:
    """Expect of ``mypy --strict`` what the program says; it imports ``NAME_api``."""
    client = folder / "python" / f"{application.name}_api"
    for found in generate(load_application(application), py=client):
        found.apply()
    assert check_python(program, client.parent, client) == expected(program)


def checked_typescript(application: Path, program: str, folder: Path) -> None:
    """Expect of ``tsc`` what the program says; it imports ``./api.js``."""
    api, place = folder / "api", folder / "typescript"
    place.mkdir()
    for found in generate(load_application(application), ts=api):
        found.apply()
    assert check_typescript(program, place, api) == expected(program)
