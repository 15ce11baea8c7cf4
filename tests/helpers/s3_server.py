"""A server for S3 in a process of its own: that of ``moto``, where it is installed."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

BUCKET = "files"


def is_installed() -> bool:
    """Tell whether there is such a server on this machine."""
    return find_spec("moto") is not None and find_spec("flask_cors") is not None


@dataclass
class S3Server:
    """A running server with one bucket."""

    process: subprocess.Popen[bytes]
    url: str

    def variables(self) -> dict[str, str]:
        """Give the variables by which programs for S3 find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }

    def stop(self) -> None:
        """End it; what it holds is gone."""
        self.process.kill()
        self.process.wait()


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = S3Server(process, f"http://127.0.0.1:{port}")
    try:
        _make_bucket(server)
        yield server
    finally:
        server.stop()


def _make_bucket(server: S3Server) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"{server.url}/{BUCKET}", method="PUT")).close()
            return
        except OSError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(0.05)
