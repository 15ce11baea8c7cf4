"""A real server on a free port of this machine, in this process, and a client that speaks raw frames."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from helpers.patience import PATIENCE, UNHURRIED
from synovia.app import Synovia
from synovia.auth.development import DevelopmentAuthenticator
from synovia.cli.server import Server, listen, make_server
from synovia.config import Settings
from synovia.functions.registry import load_application
from synovia.identity import Authenticator
from synovia.limits.settings import HubLimits
from synovia_protocol.client_session import ClientSession
from synovia_protocol.events import ClientEvent, QueryErrored, QueryUpdated
from synovia_protocol.messages import (
    SUBPROTOCOL,
    ActionResponse,
    ArrayRef,
    FatalError,
    MutationResponse,
    QueryAdd,
)

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

BOARD = Path(__file__).parents[1] / "apps" / "notice_board"


class Running:
    """A server that runs."""

    def __init__(self, app: Synovia, server: Server, port: int) -> None:
        self.app = app
        self.server = server
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/sync"

    @property
    def hub(self) -> Any:
        return self.app.hub


@asynccontextmanager
async def serving(
    authenticator: Authenticator | None = None,
    *,
    store: str = "sqlite://:memory:",
    debug: bool = False,
    options: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    development: bool = False,
    application: Path = BOARD,
    tracer_provider: TracerProvider | None = None,
    **limits: Any,
) -> AsyncIterator[Running]:
    """Serve an application until the block ends; it is then stopped as a signal would stop it.

    Args:
        store: The address of the database.
        options: For uvicorn.
        settings: Those of ``Settings`` that are not to be the default.
        development: As under ``synovia dev``; with its sign-in, if no authenticator is given.
        application: Its folder.
        tracer_provider: Where spans go.
        limits: Those of ``HubLimits`` that are not to be the default.
    """
    app = Synovia(
        load_application(application),
        store=store,
        settings=Settings(debug=debug, limits=HubLimits(**(UNHURRIED | limits)), **(settings or {})),
        authenticator=authenticator or (None if development else DevelopmentAuthenticator("127.0.0.1")),
        development=development,
        tracer_provider=tracer_provider,
    )
    with listen("127.0.0.1", 0) as listener:
        server = make_server(app, **(options or {}))
        await app.start()
        task = asyncio.create_task(server.serve([listener]), name="test server")
        try:
            yield Running(app, server, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await task
            await app.stop()


class Client:
    """One WebSocket with the client's session at its end; frames can also be sent raw."""

    def __init__(self, connection: ClientConnection, session: ClientSession) -> None:
        self.socket = connection
        self.session = session
        self.events: list[ClientEvent] = []
        self._requests = 0

    async def send(self, *frames: bytes | str) -> None:
        for frame in frames:
            await self.socket.send(frame)

    async def until(self, wanted: Callable[[ClientEvent], bool]) -> Any:
        """Receive until an event is the one wanted, and give it; what came before stays in ``events``."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.session.receive(await self.socket.recv()):
                    self.events.append(event)
                    if wanted(event):
                        return event

    async def subscribe(self, query_id: int, path: str, args: dict[str, Any] | None = None) -> Any:
        """Subscribe and give the first result."""
        await self.send(self.session.modify([QueryAdd(query_id, path, args or {})]))
        return await self.result(query_id)

    async def result(self, query_id: int) -> Any:
        """Wait for the next result or error of a query; give the value, or the ErrorInfo."""
        event = await self.until(
            lambda event: isinstance(event, (QueryUpdated, QueryErrored)) and event.query_id == query_id
        )
        return event.value if isinstance(event, QueryUpdated) else event.error

    def mutation(self, path: str, args: dict[str, Any]) -> tuple[int, bytes]:
        """Make a mutation's frame; give its request id too."""
        self._requests += 1
        return self._requests, self.session.mutation(self._requests, path, args)

    async def mutate(self, path: str, args: dict[str, Any]) -> MutationResponse:
        request_id, frame = self.mutation(path, args)
        await self.send(frame)
        response: MutationResponse = await self.response(request_id)
        return response

    async def response(self, request_id: int) -> Any:
        kinds = (MutationResponse, ActionResponse)
        return await self.until(lambda event: isinstance(event, kinds) and event.request_id == request_id)

    async def act(self, path: str, args: dict[str, Any] | None = None) -> int:
        """Send an action; give its request id."""
        self._requests += 1
        await self.send(self.session.action(self._requests, path, args or {}))
        return self._requests

    async def upload(self, array: npt.NDArray[Any], ref: ArrayRef) -> None:
        await self.send(*self.session.upload(array, ref))

    async def end(self) -> tuple[FatalError, int | None]:
        """Wait until the server ends the connection; give why, and the close code."""
        fatal = await self.until(lambda event: isinstance(event, FatalError))
        return fatal, await self.closed()

    async def closed(self) -> int | None:
        """Wait until the connection is closed; give the code that the server closed it with."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code


@asynccontextmanager
async def socket_to(url: str, *, reads_ahead: bool = True, **options: Any) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket that offers the subprotocol.

    Args:
        reads_ahead: Without it, little is taken from the server as long as nobody calls ``recv``; such a client leaves
            without a goodbye, as it would not read the answer either.
    """
    defaults: dict[str, Any] = {
        "subprotocols": [SUBPROTOCOL],
        "max_size": None,
        "ping_interval": None,
        "open_timeout": PATIENCE,
    }
    defaults |= {"open_timeout": PATIENCE}
    defaults["max_queue"] = None  # a queue that is full would hold up the closing handshake for ten seconds
    if not reads_ahead:
        defaults |= {"sock": _narrow_socket(url), "max_queue": 1}
    async with connect(url, compression=None, **{**defaults, **options}) as connection:
        yield connection
        if not reads_ahead:
            connection.transport.abort()


def _narrow_socket(url: str) -> socket.socket:
    address = urlsplit(url)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    narrow.connect((address.hostname, address.port))
    return narrow


@asynccontextmanager
async def client_of(running: Running, session: ClientSession | None = None, **options: Any) -> AsyncIterator[Client]:
    """Connect and say who we are."""
    async with socket_to(running.url, **options) as connection:
        client = Client(connection, session or ClientSession(np.random.default_rng().bytes(16)))
        await client.send(client.session.connect("test"))
        await client.until(lambda event: True)
        yield client


def fresh_board() -> Any:
    """Give the board's module, its gate shut and nothing begun; after ``serving`` has loaded it."""
    notes: Any = import_module("notice_board.notes")
    notes.gate = asyncio.Event()
    notes.started.clear()
    return notes
