"""A server with sign-in as it is configured, and clients that sign in at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from auth.sign_in_scene import settings_of
from helpers.key_server import KeyServer
from helpers.sync_server import BOARD, Client, Running
from helpers.token_issuing import MovedClock
from synovia.app import Synovia
from synovia.auth.sign_in import SignInService
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia.limits.settings import HubLimits
from synovia_protocol.events import ClientEvent
from synovia_protocol.messages import Authenticated, AuthError


@asynccontextmanager
async def serving(server: KeyServer, clock: MovedClock, store: str, **auth: Any) -> AsyncIterator[Running]:
    """Serve the board with sign-in as it is configured; deadlines are looked at 20 times a second."""
    settings = Settings(store=store, auth=settings_of(server, **auth), limits=HubLimits(resume_timeout=0.2))
    app = Synovia(BOARD, settings=settings, clock=clock.time)
    with listen("127.0.0.1", 0) as listener:
        uvicorn = make_server(app)
        await app.start()
        task = asyncio.create_task(uvicorn.serve([listener]), name="test server")
        try:
            yield Running(app, uvicorn, listener.getsockname()[1])
        finally:
            uvicorn.should_exit = True
            await task
            await app.stop()


def is_(kind: type) -> Callable[[ClientEvent], bool]:
    return lambda event: isinstance(event, kind)


async def sign_in(client: Client, token: str | None) -> Authenticated:
    await client.send(client.session.authenticate(token))
    answer = await client.until(lambda event: isinstance(event, (Authenticated, AuthError)))
    assert isinstance(answer, Authenticated), answer
    return answer


async def refusal(client: Client, token: str | None) -> AuthError:
    await client.send(client.session.authenticate(token))
    answer = await client.until(lambda event: isinstance(event, (Authenticated, AuthError)))
    assert isinstance(answer, AuthError), answer
    return answer


def service_of(running: Running) -> SignInService:
    assert running.app.sign_in is not None
    return running.app.sign_in
