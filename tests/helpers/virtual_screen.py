"""A screen of its own for windows of a test, by Xvfb."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

NO_SCREEN = None if shutil.which("Xvfb") else "there is no Xvfb"


@contextmanager
def virtual_screen(size: str = "900x700x24") -> Iterator[str]:
    """Run a screen, and give its name for ``DISPLAY``."""
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f":{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.communicate(timeout=10)
