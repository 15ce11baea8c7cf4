"""An OpenID Connect issuer in a process of its own, and a browser that goes where it is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]


class IssuerProcess:
    """The issuer's process; see ``issuer_program``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "helpers.issuer_program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def behave(self, fault: str = "", **more: Any) -> None:
        """Make this mistake from now on."""
        body = json.dumps({"fault": fault, "secret": None, **more}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/behave", body), timeout=10).close()

    def stop(self) -> None:
        self._process.communicate(timeout=10)


@contextmanager
def issuer_process() -> Iterator[IssuerProcess]:
    issuer = IssuerProcess()
    try:
        yield issuer
    finally:
        issuer.stop()


class Browser:
    """Follows an address to its end on a thread of its own, as a browser does, and keeps what it was shown."""

    def __init__(self) -> None:
        self.pages: list[tuple[int, str]] = []
        self.addresses: list[str] = []
        self._threads: list[threading.Thread] = []

    def open(self, url: str) -> bool:
        self.addresses.append(url)
        thread = threading.Thread(target=lambda: self.pages.append(visit(url)))
        thread.start()
        self._threads.append(thread)
        return True

    def close(self) -> None:
        for thread in self._threads:
            thread.join(10)


def visit(url: str, **headers: str) -> tuple[int, str]:
    """Give status and text of a page, after what it leads to."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
