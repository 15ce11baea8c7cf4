"""A connection of an operator to a hub, wherever it runs: a socket over which system functions are called and followed."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from synovia.errors import FunctionError
from synovia.hosts import is_loopback
from synovia_protocol.client_session import ClientSession
from synovia_protocol.errors import ErrorInfo, ProtocolError, ResyncNeeded
from synovia_protocol.events import QueryErrored, QueryUpdated
from synovia_protocol.messages import (
    SUBPROTOCOL,
    ActionResponse,
    Authenticated,
    AuthError,
    FatalError,
    MutationResponse,
    QueryAdd,
    Welcome,
)

SECONDS: Final = 10.0
"""For a hub to take the connection and the key."""
PAUSE: Final = 1.0
"""Seconds between two tries when a hub that was followed has gone."""
_PINGS: Final = 3
"""So many signs of life are sent in the time in which the hub expects one."""


class HubUnreachable(Exception):
    """No hub answers there, or it does not let this operator in; the message says which."""


class HubLost(HubUnreachable):
    """The connection to a hub has ended."""


class OutOfStep(HubLost):
    """What the hub sent is a difference to what is not held here: a new connection begins with whole results."""


@dataclass(frozen=True, slots=True)
class HubAddress:
    """Where a hub is, and with which key.

    Attributes:
        url: ``http(s)://`` or ``ws(s)://``.
        key: None: the hub is one of development, on this machine.
    """

    url: str
    key: str | None

    def as_(self, secure: str, plain: str, path: str) -> str:
        """Give the address of one of its ways in."""
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https", "ws", "wss") or not address.netloc:
            raise HubUnreachable(f"{self.url!r} is no address of a hub: http://127.0.0.1:8000, say")
        scheme = secure if address.scheme in ("https", "wss") else plain
        return address._replace(scheme=scheme, path=address.path.rstrip("/") + path, query="", fragment="").geturl()


class HubConnection:
    """A connection that is open."""

    def __init__(self, socket: ClientConnection, session: ClientSession) -> None:
        self._socket = socket
        self._session = session
        self._numbers = itertools.count(1)

    async def _events(self) -> list[Any]:
        try:
            events = self._session.receive(await self._socket.recv())
        except ResyncNeeded as error:
            raise OutOfStep(str(error)) from None
        except (WebSocketException, OSError, ProtocolError) as error:
            raise HubLost(f"the connection has ended: {error}") from None
        for event in events:
            if isinstance(event, FatalError):
                raise HubLost(f"the hub has ended the connection: {event.error.message}")
        return events

    async def greet(self, token: str) -> None:
        """Say who is calling, and keep the connection alive from now on."""
        await self._socket.send(self._session.connect("synovia"))
        welcome = await self._until(lambda event: isinstance(event, Welcome))
        await self._socket.send(self._session.authenticate(token))
        told = await self._until(lambda event: isinstance(event, Authenticated | AuthError))
        if isinstance(told, AuthError):
            raise HubUnreachable(f"the hub does not take this key: {told.error.message}")
        self.idle_timeout: float = welcome.idle_timeout

    async def stay(self) -> None:
        """Send signs of life, for ever."""
        while True:
            await asyncio.sleep(self.idle_timeout / _PINGS)
            await self._socket.send(self._session.ping())

    async def _until(self, wanted: Callable[[Any], bool]) -> Any:
        while True:
            for event in await self._events():
                if wanted(event):
                    return event

    async def follow(self, path: str, args: dict[str, Any]) -> AsyncGenerator[Any, None]:
        """Give the result of a query now, and each time it changes.

        Raises:
            FunctionError: It failed; HubLost: the connection has ended.
        """
        number = next(self._numbers)
        await self._socket.send(self._session.modify([QueryAdd(number, path, args)]))
        while True:
            for event in await self._events():
                if isinstance(event, QueryErrored) and event.query_id == number:
                    raise _error(event.error)
                if isinstance(event, QueryUpdated) and event.query_id == number:
                    yield event.value

    async def query(self, path: str, args: dict[str, Any]) -> Any:
        """Give the result of a query now; errors as ``follow``."""
        async with aclosing(self.follow(path, args)) as results:
            return await anext(results)

    async def action(self, path: str, args: dict[str, Any]) -> Any:
        """Run an action; errors as ``follow``."""
        number = next(self._numbers)
        return await self._answer(number, self._session.action(number, path, args))

    async def mutation(self, path: str, args: dict[str, Any]) -> Any:
        """Run a mutation; errors as ``follow``."""
        number = next(self._numbers)
        return await self._answer(number, self._session.mutation(number, path, args))

    async def _answer(self, number: int, frame: bytes) -> Any:
        await self._socket.send(frame)
        kinds = ActionResponse | MutationResponse
        answer = await self._until(lambda event: isinstance(event, kinds) and event.request_id == number)
        if answer.error is not None:
            raise _error(answer.error)
        return answer.result


def _error(error: ErrorInfo) -> FunctionError:
    if error.code == "unknown_function" and "_system/" in error.message:
        text = "this hub shows nothing to this key: it needs the role operator, or operator-read to look"
        return FunctionError(error.code, text)
    return FunctionError(error.code, error.message, error.data)


@asynccontextmanager
async def connected(address: HubAddress) -> AsyncGenerator[HubConnection, None]:
    """Connect to a hub as an operator.

    Raises:
        HubUnreachable: Nothing answers there, or the key is refused.
    """
    url = address.as_("wss", "ws", "/sync")
    proxy: Literal[True] | None = None if is_loopback(urlsplit(url).hostname or "") else True
    options: dict[str, Any] = {"subprotocols": [SUBPROTOCOL], "max_size": None, "ping_interval": None, "proxy": proxy}
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(SECONDS):
                token = address.key
                if token is None:
                    token = await asyncio.to_thread(_session_of_development, address)
                socket = await stack.enter_async_context(connect(url, compression=None, **options))
                connection = HubConnection(socket, ClientSession(secrets.token_bytes(16)))
                await connection.greet(token)
        except TimeoutError:
            raise HubUnreachable(f"{address.url}: no answer within {SECONDS:g} s") from None
        except (OSError, WebSocketException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise HubUnreachable(f"{address.url}: {reason}; is a hub there? --url or SYNOVIA_URL says where") from None
        staying = asyncio.create_task(connection.stay())
        try:
            yield connection
        finally:
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)


def _session_of_development(address: HubAddress) -> str:
    """Open a session without a key, which ``synovia dev`` gives whoever is on the same machine."""
    url = address.as_("https", "http", "/_synovia/session")
    request = urllib.request.Request(url, b"{}", {"content-type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with closing(opener.open(request, timeout=SECONDS)) as answer:
            return str(json.loads(answer.read())["token"])
    except urllib.error.HTTPError as error:
        with error:
            raise HubUnreachable(
                f"{address.url}: the key of an operator is needed: SYNOVIA_KEY or SYNOVIA_KEY_FILE (synovia key create"
                " NAME --role operator)"
            ) from None
    except (ValueError, KeyError):
        raise HubUnreachable(f"{address.url}: what answers there is no hub") from None


async def followed(
    address: HubAddress,
    path: str,
    args: dict[str, Any],
    told: Callable[[str], None],
    arrived: Callable[[HubConnection], Awaitable[None]] | None = None,
) -> AsyncGenerator[Any, None]:
    """Follow a query for ever, over one connection after the other.

    Args:
        told: Called with what happens to connections.
        arrived: Called with each connection before anything is asked.

    Raises:
        HubUnreachable: The first connection cannot be made. FunctionError: The query failed.
    """
    first, away = True, False
    while True:
        try:
            async with connected(address) as hub, aclosing(hub.follow(path, args)) as results:
                if away:
                    told("connected again")
                first = away = False
                if arrived is not None:
                    await arrived(hub)
                async for result in results:
                    yield result
        except HubUnreachable as error:
            if first:
                raise
            if isinstance(error, OutOfStep):
                continue
            if not away:
                told(f"{error}; connecting again")
            away = True
        await asyncio.sleep(PAUSE)
