"""The command line as a user has it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BOARD = Path(__file__).parents[1] / "apps" / "notice_board"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("SYNOVIA_")} | {"COLUMNS": "120"}


def synovia(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synovia.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT | environment,
        check=False,
    )


@contextmanager
def server(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "synovia.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=20)


def banner_of(process: subprocess.Popen[str]) -> str:
    """Read what the server says when it has started."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("╰"):
            break
    return "".join(lines)
