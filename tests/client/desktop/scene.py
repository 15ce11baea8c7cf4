"""What signing in takes: an issuer in a process of its own, a hub that knows it and sends mail, and a browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.http_server import APPS
from helpers.mail_server import MailServer
from synovia.app import Synovia
from synovia.auth.settings import AuthSettings
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia.functions.registry import load_application

TESTS = Path(__file__).resolve().parents[2]
ME = "board:whoami"
"""Gives the address of who is signed in."""


class IssuerProcess:
    """The issuer's process; see ``issuer_program``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "client.desktop.issuer_program"],
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


@dataclass
class SignInHub:
    """A hub, the mail that it sends, and how it can be reached."""

    port: int
    mail: MailServer = field(repr=False)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def code(self) -> str:
        """The code of the newest mail."""
        text = self.mail.received[-1][1].get_content()
        found = re.search(r"^ +(\d{8,12})\s*$", text, re.M)
        assert found is not None, text
        return found[1]


@asynccontextmanager
async def sign_in_hub(issuer: str | None) -> AsyncIterator[SignInHub]:
    """Run a hub at which one signs in with this issuer, or a code by mail; None: it has no sign-in."""
    mail = MailServer()
    await mail.start()
    auth: dict[str, Any] = {}
    if issuer is not None:
        auth = {
            "issuers": [{"issuer": issuer, "audience": ["the-page", "the-program"]}],
            "email_from": "motion@example.org",
            "smtp_host": "127.0.0.1",
            "smtp_port": mail.port,
            "smtp_security": "none",
        }
    settings = Settings(store=None, auth=AuthSettings(**auth))
    app = Synovia(load_application(APPS / "board.py"), store="sqlite://:memory:", settings=settings)
    with listen("127.0.0.1", 0) as listener:
        server = make_server(app)
        await app.start()
        task = asyncio.create_task(server.serve([listener]), name="the hub of sign-in")
        try:
            yield SignInHub(listener.getsockname()[1], mail)
        finally:
            server.should_exit = True
            await task
            await app.stop()
            await mail.stop()
