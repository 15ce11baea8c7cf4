"""A real server of one application on a free port, and requests to it over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from helpers.patience import PATIENCE, UNHURRIED
from synovia.app import Synovia
from synovia.auth.development import DevelopmentAuthenticator
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia.functions.registry import load_application
from synovia.http.settings import HttpSettings
from synovia.identity import Authenticator
from synovia.limits.settings import HubLimits

APPS = Path(__file__).parents[1] / "apps"
"""Where applications for tests are."""
_clients = ThreadPoolExecutor(16, "http client")  # not the loop's own threads: the server needs those


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json["error"]["code"])


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    app: Synovia
    port: int

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Answer:
        """Send one request over a connection of its own."""
        sent = {**(headers or {}), **({} if token is None else {"Authorization": f"Bearer {token}"})}
        return await asyncio.get_running_loop().run_in_executor(_clients, self._ask, method, path, body, sent)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    async def post(self, path: str, content: Any, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """Post JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.ask("POST", path, body, {"Content-Type": "application/json", **(headers or {})}, **options)

    async def call(self, kind: str, path: str, args: Any = None, **options: Any) -> Answer:
        """Call a function."""
        return await self.post(f"/api/{kind}", {"path": path, "args": args or {}}, **options)


@asynccontextmanager
async def serving(
    application: Path = APPS / "ledger.py",
    *,
    store: str = "sqlite://:memory:",
    authenticator: Authenticator | None = None,
    limits: HubLimits | None = None,
    debug: bool = False,
    development: bool = False,
    web: Path | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Serve an application until the block ends.

    Args:
        settings: Those of ``HttpSettings`` that are not to be the default.
    """
    app = Synovia(
        load_application(application),
        store=store,
        settings=Settings(debug=debug, web=web, http=HttpSettings(**settings), limits=limits or HubLimits(**UNHURRIED)),
        authenticator=authenticator or DevelopmentAuthenticator("127.0.0.1"),
        development=development,
    )
    with listen("127.0.0.1", 0) as listener:
        server = make_server(app)
        await app.start()
        task = asyncio.create_task(server.serve([listener]), name="test server")
        try:
            yield Served(app, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await task
            await app.stop()


def fresh_ledger() -> Any:
    """Give the ledger's module, its gate shut and nothing begun; after ``serving`` has loaded it."""
    ledger: Any = import_module("ledger")
    ledger.gate = asyncio.Event()
    ledger.runs.clear()
    return ledger
