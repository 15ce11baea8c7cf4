"""The reception in a window of Tk: a table that keeps the server's order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.virtual_screen import NO_SCREEN, virtual_screen

pytest.importorskip("tkinter", exc_type=ImportError)


@pytest.mark.slow
@pytest.mark.skipif(NO_SCREEN is not None, reason=str(NO_SCREEN))
@pytest.mark.parametrize("scene", ["table", "program"])
def test_the_tables_of_tk(scene: str) -> None:
    with virtual_screen() as screen:
        ended = subprocess.run(
            [sys.executable, "-m", "examples.tk_scenes", scene],
            env=os.environ | {"DISPLAY": screen, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
