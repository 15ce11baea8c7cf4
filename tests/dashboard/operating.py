"""An operator at a running hub."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from helpers.http_server import Answer, Served
from helpers.sync_server import Client, Running, client_of, serving


@dataclass
class Operator:
    """Somebody who runs a hub: over HTTP, and over a socket."""

    running: Running
    client: Client
    token: str

    async def call(self, kind: str, path: str, args: dict[str, Any] | None = None) -> Answer:
        return await Served(self.running.app, self.running.port).call(kind, f"_system/{path}", args, token=self.token)

    async def ask(self, path: str, args: dict[str, Any] | None = None) -> Any:
        """Ask a query once."""
        answer = await self.call("query", path, args)
        assert answer.status == 200, answer.body
        return answer.json["result"]

    async def do(self, kind: str, path: str, args: dict[str, Any] | None = None) -> Any:
        answer = await self.call(kind, path, args)
        assert answer.status == 200, answer.body
        return answer.json["result"]

    async def call_as_client(self, kind: str, path: str, args: dict[str, Any], token: str | None = None) -> Answer:
        """Call a function of the application's as one of its users."""
        return await Served(self.running.app, self.running.port).call(kind, path, args, token=token)

    async def audited(self) -> list[dict[str, Any]]:
        """Give the entries of the audit table."""
        page = await self.ask("data:rows", {"table": "_audit"})
        return [row["document"] for row in page["rows"]]


@asynccontextmanager
async def operating(**options: Any) -> AsyncIterator[Operator]:
    """Run a hub with somebody who operates it."""
    async with serving(**options) as running, client_of(running) as client:
        key = (await running.app.service_keys.create("ops", ["operator"])).token
        token = json.loads((await Served(running.app, running.port).post("/_synovia/session", {"key": key})).body)[
            "token"
        ]
        await client.send(client.session.authenticate(token))
        yield Operator(running, client, token)
