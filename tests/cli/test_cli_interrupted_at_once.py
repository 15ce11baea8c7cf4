"""Ctrl+C while the command line is still being imported."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from cli.command_line import ENVIRONMENT
from helpers.patience import PATIENCE

PROJECT = Path(__file__).parents[2] / "server" / "pyproject.toml"
IMPORTED = """
import os, signal
os.kill(os.getpid(), signal.SIGINT)
raise ImportError("it went on")
"""
"""What takes the place of something that the command line imports."""


def test_who_interrupts_a_command_that_is_still_imported_sees_no_traceback(tmp_path: Path) -> None:
    module, _, function = tomllib.loads(PROJECT.read_text())["project"]["scripts"]["synovia"].partition(":")
    (tmp_path / "typer.py").write_text(IMPORTED)
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        f" from {module} import {function}; {function}()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=ENVIRONMENT | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
