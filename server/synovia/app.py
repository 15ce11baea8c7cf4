"""The server as one ASGI application: an application's functions over a store, behind ``/sync`` and ``/health``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from synovia.application import Registry, load_application
from synovia.auth.development import NoSignIn
from synovia.config import Settings
from synovia.engine.engine import Engine
from synovia.http.routes import routes
from synovia.identity import Authenticator
from synovia.store import open_store
from synovia.store.base import Store
from synovia.sync.hub import Hub

DEFAULT_STORE = "sqlite://:memory:"


class Synovia:
    """An ASGI application that serves a Synovia application.

    Args:
        application: Its folder or file, or what ``load_application`` gave.
        store: A store or its address; by default ``settings.store``, else the embedded store in memory.
        settings: By default from the ``SYNOVIA_*`` variables.
        authenticator: Tells who a token is; by default every token is refused.

    Raises:
        SchemaError: There is no such application, or what it declares cannot work.
    """

    def __init__(
        self,
        application: str | Path | Registry,
        *,
        store: Store | str | None = None,
        settings: Settings | None = None,
        authenticator: Authenticator | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.registry = application if isinstance(application, Registry) else load_application(application)
        where = store or self.settings.store or DEFAULT_STORE
        ttl = self.settings.request_ttl
        self.store: Store = open_store(where, request_ttl=ttl) if isinstance(where, str) else where
        self.engine = Engine(self.store, self.registry, debug=self.settings.debug)
        self.hub = Hub(self.engine, self.store.arrays, authenticator or NoSignIn(), self.settings.limits)
        self._running = AsyncExitStack()
        self._asgi = Starlette(routes=routes(self.hub, self.store, self.engine), lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        await self._asgi(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        """Open the store, then start the engine and the hub; nothing stays open if one of them fails.

        Raises:
            StoreUnavailable: The database cannot be reached, or is not one that Synovia can work with.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.store.close)
            await self.store.open(self.registry.tables)
            await self.engine.start()
            stack.push_async_callback(self.engine.stop)
            self.hub.start()
            stack.push_async_callback(self.hub.stop)
            self._running = stack.pop_all()

    async def stop(self) -> None:
        """Stop everything in the opposite order; clients are told to come back."""
        await self._running.aclose()
