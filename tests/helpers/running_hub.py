"""An application on a real hub in this process, with real clients over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from helpers.patience import UNHURRIED
from synovia.app import Synovia
from synovia.cli.server import listen, make_server
from synovia.config import Settings
from synovia.functions.registry import Registry
from synovia.hubs.settings import HubsSettings
from synovia.limits.settings import HubLimits
from synovia.migrations.settings import DocumentSettings
from synovia_client import Client

MOTION = Path(__file__).resolve().parents[2] / "apps" / "motion"


@dataclass
class RunningHub:
    """A running hub and the people who use it."""

    app: Synovia
    port: int
    store: str
    people: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def connect(self, name: str) -> Client:
        """Connect somebody; disconnected when the hub stops."""
        client = Client(f"ws://127.0.0.1:{self.port}", token=f"dev:{name}@example.org")
        return await self.people.enter_async_context(client)

    async def person(self, name: str, role: str = "physiotherapist") -> Client:
        """Connect somebody who is registered with the motion application."""
        client = await self.connect(name)
        await client.mutation("users:register", {"name": name.title(), "role": role})
        return client


@asynccontextmanager
async def running_hub(
    store: str,
    application: Path | Registry = MOTION,
    clock: Callable[[], float] = time.time,
    hubs: HubsSettings | None = None,
    limits: HubLimits | None = None,
) -> AsyncIterator[RunningHub]:
    """Run a hub until the block ends; ``clock`` tells by what time tokens expire, ``hubs`` how others are found.

    It does not check documents in the background, so that what is read is what calls read.
    """
    settings = Settings(
        store=None,
        documents=DocumentSettings(check=False),
        hubs=hubs or HubsSettings(),
        limits=limits or HubLimits(**UNHURRIED),
    )
    app = Synovia(application, store=store, settings=settings, development=True, clock=clock)
    with listen("127.0.0.1", 0) as listener:
        server = make_server(app)
        await app.start()
        serving = asyncio.create_task(server.serve([listener]))
        hub = RunningHub(app, listener.getsockname()[1], store)
        try:
            async with hub.people:
                yield hub
        finally:
            server.should_exit = True
            await serving
            await app.stop()
