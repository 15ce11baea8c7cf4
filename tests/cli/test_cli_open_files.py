"""How many files ``synovia serve`` may have open: as many as clients may connect, if the system lets it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.command_line import BOARD, ENVIRONMENT

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are read on Linux")


@contextmanager
def served(limits: str) -> Iterator[tuple[int, str]]:
    """Run a server under ``ulimit``; give the process and all that it has said when it serves."""
    serve = f'exec "{sys.executable}" -m synovia.cli serve "{BOARD}" --port 0 --store sqlite://:memory: 2>&1'
    command = ["sh", "-c", f"ulimit {limits}; {serve}"]
    environment = ENVIRONMENT | {"SYNOVIA_LIMITS_MAX_CONNECTIONS": "500"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith("╰"):
                    break
            yield process.pid, "".join(said)
        finally:
            process.terminate()


def test_a_server_raises_its_limit_to_what_its_clients_need() -> None:
    with served("-S -n 100") as (pid, said):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] == 600
        assert "files may be open" not in said


def test_who_lets_fewer_files_be_open_than_clients_may_connect_is_warned() -> None:
    with served("-n 100") as (pid, said):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] == 100
        assert "100 files may be open, and 500 clients may connect (MAX_CONNECTIONS)" in said
        assert "LimitNOFILE=600" in said
