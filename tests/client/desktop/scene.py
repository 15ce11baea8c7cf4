"""What signing in takes: a hub that knows an issuer and sends mail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from helpers.http_server import APPS
from helpers.mail_server import MailServer
from synovia.app import Synovia
from synovia.auth.settings import AuthSettings
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia.functions.registry import load_application

ME = "board:whoami"
"""Gives the address of who is signed in."""


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
