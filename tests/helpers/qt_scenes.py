"""Running a function of a test in a process of its own, where Qt draws offscreen through one of its bindings."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
BINDINGS = ("PySide6", "PyQt6")
LIBRARIES = "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
SECONDS = 100


def _run(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(TESTS), "PYTHONFAULTHANDLER": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@functools.cache
def missing(binding: str) -> str | None:
    """Tell why a binding cannot be used here; None if it can."""
    run = _run(f"from {binding} import QtWidgets, QtTest; QtWidgets.QApplication([])")
    if run.returncode == 0:
        return None
    reason = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit code {run.returncode}"
    return f"{binding} cannot be used here ({reason}); it needs the package {binding} and the libraries {LIBRARIES}"


def play(binding: str, scene: str) -> None:
    """Run a scene, ``module:function``, under a binding; what it prints is shown if it fails."""
    reason = missing(binding)
    if reason is not None:
        pytest.skip(reason)
    module, _, function = scene.partition(":")
    run = _run(f"import {binding}.QtCore, {module}\n{module}.{function}()")
    assert run.returncode == 0, f"{binding}: exit code {run.returncode}\n{run.stdout}\n{run.stderr}"
