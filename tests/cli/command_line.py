"""The command line as a user has it: a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers.forked_commands import SYNOVIA, PipedCommand, run
from helpers.patience import PATIENCE

BOARD = Path(__file__).parents[1] / "apps" / "notice_board"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("SYNOVIA_")} | {"COLUMNS": "200"}


def synovia(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(arguments, ENVIRONMENT | environment)


class Server(PipedCommand):
    """A server that says where it is when it has started."""

    def __init__(self, program: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(program, arguments, environment)
        self.banner = self._banner()

    def _banner(self) -> str:
        lines = []
        for line in self.stdout:
            lines.append(line)
            if line.startswith("╰") or '"message": "serving ' in line:
                break
        return "".join(lines)

    def url(self) -> str:
        """Give the address in the banner, or in the line of JSON that is there instead."""
        found = re.search(r"(?:ws|http)(s?://127\.0\.0\.1:\d+)", self.banner)
        assert found is not None, self.banner
        return f"ws{found[1]}"

    def ended(self) -> str:
        """Wait for its end; give what it has said since the banner."""
        rest = self.stdout.read()
        self.wait(PATIENCE)
        return rest


@contextmanager
def server(*arguments: str, program: str = SYNOVIA, **environment: str) -> Iterator[Server]:
    """Run a server until the block ends."""
    process = Server(program, arguments, ENVIRONMENT | environment)
    try:
        yield process
    finally:
        process.terminate()
        process.ended()
        process.stdout.close()
