"""The ward with people in its roles, in this process and over sockets."""

from __future__ import annotations

from apps import ward
from helpers.sync_server import Client
from synovia.functions.access import CallOrigin
from synovia.functions.registry import collect
from synovia.testing import TestApp
from synovia_protocol.messages import Authenticated

REGISTRY = collect("ward", [ward])


async def appoint(app: TestApp, name: str, role: str | None) -> None:
    args = {"email": f"{name}@example.org"} | ({} if role is None else {"role": role})
    outcome = await app.engine.mutate("ward:appoint", args, None, origin=CallOrigin.APPLICATION)
    assert outcome.error is None
    await app.engine.wait_for(outcome.ts or 0)


async def sign_in(client: Client, token: str | None) -> None:
    await client.send(client.session.authenticate(token))
    if token is not None:
        await client.until(lambda event: isinstance(event, Authenticated))
