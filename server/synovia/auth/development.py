"""Sign-in for development: the token ``dev:EMAIL`` is that address, without any proof.

Claims follow a question mark: ``dev:anna@example.org?org=acme&level:=3&roles:=["admin"]``. After ``=`` stands text, after
``:=`` JSON; both may be percent-encoded, and must be where they hold a ``&`` or ``%``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from synovia.hosts import is_loopback
from synovia.identity import Identity, InvalidToken, SignIn

PREFIX = "dev:"
ISSUER = "dev"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CLAIM = re.compile(r"([^=:&]+)(:?=)(.*)", re.DOTALL)
_LONGEST = 254


def development_identity(email: str, claims: Mapping[str, Any] | None = None) -> Identity:
    """Make the identity of an address.

    Args:
        claims: What else an issuer would say; values as JSON has them.

    Raises:
        InvalidToken: It is not an e-mail address.
    """
    address = email.strip().lower()
    if len(address) > _LONGEST or _EMAIL.fullmatch(address) is None:
        raise InvalidToken(f"{email[:80]!r} is not an e-mail address")
    return Identity(
        issuer=ISSUER, subject=address, email=address, name=address.partition("@")[0], claims=dict(claims or {})
    )


def parse_identity(text: str) -> Identity:
    """Read ``EMAIL``, or an address with claims: ``EMAIL?name=text&name:=json``.

    Raises:
        InvalidToken: It is nothing of the kind.
    """
    local, at, rest = text.partition("@")  # a question mark may stand before it
    domain, _, query = rest.partition("?")
    claims: dict[str, Any] = {}
    for part in query.split("&") if query else []:
        name, value = _claim(part)
        if name in claims:
            raise InvalidToken(f"the claim {name!r} is there twice")
        claims[name] = value
    return development_identity(f"{local}{at}{domain}", claims)


def _claim(part: str) -> tuple[str, Any]:
    found = _CLAIM.fullmatch(part)
    if found is None:
        raise InvalidToken(f"{part[:80]!r} is no claim: write name=text or name:=json")
    name, value = unquote(found[1]), unquote(found[3])
    try:
        return name, value if found[2] == "=" else json.loads(value, parse_constant=_no_constant)
    except ValueError:
        raise InvalidToken(f"the claim {name!r} is no JSON; text stands after = alone") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


class DevelopmentAuthenticator:
    """Believes ``dev:EMAIL`` and ``dev:EMAIL?claims``; only for a server that nobody else can reach.

    Raises:
        ValueError: ``host`` can be reached from other machines.
    """

    def __init__(self, host: str) -> None:
        if not is_loopback(host):
            raise ValueError(f"development sign-in needs a loopback address, not {host!r}")

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Give the identity that the token names; nothing is exchanged, as the token never expires."""
        if not token.startswith(PREFIX):
            raise InvalidToken("this server knows only development tokens: dev:EMAIL")
        return SignIn(parse_identity(token[len(PREFIX) :]))


class NoSignIn:
    """Refuses every token: the server has no way to sign in."""

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Refuse the token."""
        if token.startswith(PREFIX):
            raise InvalidToken("development tokens are believed only by `synovia dev` on a loopback address")
        raise InvalidToken("this server has no sign-in configured")
