"""A real hub for the demonstration, with instruments: which frames left it, how large, and when each commit was done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send

from synovia import Synovia
from synovia.cli import listen, make_server
from synovia.store import Batch, Store, Ts, open_store
from synovia.testing import DevelopmentAuthenticator
from synovia_protocol.codec import decode_server
from synovia_protocol.messages import Transition

HOST = "127.0.0.1"
ARRAY_FRAME = 0xC1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that the hub handed to the socket of a client."""

    data: bytes

    @property
    def is_samples(self) -> bool:
        return self.data[0] == ARRAY_FRAME

    def transition(self) -> Transition | None:
        """Decode a transition that says something new; None for every other frame."""
        message = None if self.is_samples else decode_server(self.data)
        return message if isinstance(message, Transition) and message.updates else None


class Stage:
    """A hub on a free loopback port.

    Attributes:
        url: Where it is.
        connections: For each connection in the order of their coming, the frames that were sent on it.
        committed: When the store had made each commit durable, by ts, in seconds of ``perf_counter``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.connections: list[list[Frame]] = []
        self.committed: dict[Ts, float] = {}

    def since_commit(self, ts: Ts, at: float) -> float:
        """Give the milliseconds between the newest commit up to ``ts`` and the moment ``at``."""
        return (at - self.committed[max(done for done in self.committed if done <= ts)]) * 1000


class _TimedStore:
    """A store that notes when each commit was done."""

    def __init__(self, store: Store, committed: dict[Ts, float]) -> None:
        self._store = store
        self._committed = committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, batch: Batch) -> Ts:
        ts = await self._store.commit(batch)
        self._committed[ts] = perf_counter()
        return ts


class _TappedHub(Synovia):
    """A hub that keeps a copy of every frame it sends."""

    connections: list[list[Frame]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        frames: list[Frame] = []
        self.connections.append(frames)

        async def tapped(message: Message) -> None:
            if message.get("bytes"):
                frames.append(Frame(message["bytes"]))
            await send(message)

        # The hub's own server offers it a shorter way to the socket than ASGI's; here every frame has to come past.
        await super().__call__({**scope, "extensions": {}}, receive, tapped)


@asynccontextmanager
async def stage(store_url: str) -> AsyncIterator[Stage]:
    """Run a hub over a store, with development sign-in.

    Raises:
        StoreUnavailable: The database cannot be reached, or is not one that Synovia can work with.
    """
    with listen(HOST, 0) as listener:
        built = Stage(f"ws://{HOST}:{listener.getsockname()[1]}")
        store = cast(Store, _TimedStore(open_store(store_url), built.committed))
        hub = _TappedHub(Path(__file__).parents[1], store=store, authenticator=DevelopmentAuthenticator(HOST))
        hub.connections = built.connections
        await hub.start()
        server = make_server(hub)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="demo hub")
        try:
            yield built
        finally:
            server.should_exit = True
            await serving
            await hub.stop()
