"""Fixtures for tests that run the applications of the pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder of a reader, in which the test runs; what it imports from there is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if _lies_in(sys.modules[name], tmp_path):
            del sys.modules[name]


def _lies_in(module: ModuleType, folder: Path) -> bool:
    """Tell whether a module, or a folder without an ``__init__``, was imported from there."""
    origins = [module.__file__ or ""] if hasattr(module, "__file__") else []
    return any(Path(origin).is_relative_to(folder) for origin in [*origins, *getattr(module, "__path__", [])])
