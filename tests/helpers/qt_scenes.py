"""Running a function of a test in a process of its own, where Qt draws offscreen through one of its bindings.

The process is forked from one that has imported the binding and what most scenes need, but has not used Qt yet.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import forked_commands
from helpers.patience import PATIENCE

TESTS = Path(__file__).resolve().parents[1]
BINDINGS = ("PySide6", "PyQt6")
LIBRARIES = "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
SECONDS = 2 * PATIENCE
MODULES = ("QtCore", "QtGui", "QtWidgets", "QtTest")
STAGES = (
    "pytest",
    "client.desktop.scene",
    "client.qt.stage",
    "synovia_qt.pyqtgraph_binding",
    *forked_commands.COMMANDS,
)
"""What scenes import: the server, what ``synovia_qt`` makes of a binding, and what hubs beside them need."""


def _environment() -> dict[str, str]:
    return os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(TESTS)}


@functools.cache
def missing(binding: str) -> str | None:
    """Tell why a binding cannot be used here; None if it can."""
    code = f"from {binding} import QtWidgets, QtTest; QtWidgets.QApplication([])"
    run = subprocess.run(
        [sys.executable, "-c", code], env=_environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if run.returncode == 0:
        return None
    reason = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit code {run.returncode}"
    return f"{binding} cannot be used here ({reason}); it needs the package {binding} and the libraries {LIBRARIES}"


def play(binding: str, scene: str, *, in_full: bool = False) -> None:
    """Run a scene, ``module:function``, under a binding; what it prints is shown if it fails.

    Args:
        in_full: Whether Python takes everything apart at its end, as in a program; Qt's part of it is done in any case.
    """
    reason = missing(binding)
    if reason is not None:
        pytest.skip(reason)
    imported = (*(f"{binding}.{module}" for module in MODULES), *STAGES)
    run = forked_commands.run(
        [scene], _environment(), "helpers.qt_scene", imported=imported, in_full=in_full, seconds=SECONDS
    )
    assert run.returncode == 0, f"{binding}: exit code {run.returncode}\n{run.stdout}\n{run.stderr}"
