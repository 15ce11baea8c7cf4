"""Requests of a test to an application: in this process, without a socket."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from synovia.identity import Authenticator, Identity, SignIn

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from synovia.app import Synovia

_PREFIX = "test:"


class KnownCallers:
    """Takes tokens that stand for identities of a test, and leaves all others to the server's own sign-in."""

    def __init__(self, other: Authenticator) -> None:
        self._other = other
        self._identities: dict[str, Identity] = {}

    def token(self, identity: Identity) -> str:
        """Give a token that stands for an identity, whatever issuer it is of."""
        token = f"{_PREFIX}{secrets.token_hex(8)}"
        self._identities[token] = identity
        return token

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Tell who a token is; see ``Authenticator``."""
        identity = self._identities.get(token)
        return SignIn(identity) if identity is not None else await self._other.authenticate(token, exchange=exchange)


def client_of(server: Synovia, token: str | None, answered: Callable[[], Awaitable[None]]) -> AsyncClient:
    """Make a client of a server in this process.

    Args:
        answered: Called after each answer.

    Raises:
        ImportError: httpx2 is not installed.
    """
    try:
        from httpx2 import ASGITransport, AsyncClient
    except ImportError as error:
        raise ImportError("requests in tests need httpx2: install synovia[testing]") from error

    async def after(_: Any) -> None:
        await answered()

    return AsyncClient(
        transport=ASGITransport(server),
        base_url="http://localhost",
        headers={} if token is None else {"Authorization": f"Bearer {token}"},
        event_hooks={"response": [after]},
    )
