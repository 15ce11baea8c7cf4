"""Sign-in for development: the token ``dev:EMAIL`` is that address, without any proof."""

from __future__ import annotations

import re

from synovia.hosts import is_loopback
from synovia.identity import Identity, InvalidToken, SignIn

PREFIX = "dev:"
ISSUER = "dev"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LONGEST = 254


def development_identity(email: str) -> Identity:
    """Make the identity of an address.

    Raises:
        InvalidToken: It is not an e-mail address.
    """
    address = email.strip().lower()
    if len(address) > _LONGEST or _EMAIL.fullmatch(address) is None:
        raise InvalidToken(f"{email[:80]!r} is not an e-mail address")
    return Identity(issuer=ISSUER, subject=address, email=address, name=address.partition("@")[0])


class DevelopmentAuthenticator:
    """Believes ``dev:EMAIL``; only for a server that nobody else can reach.

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
        return SignIn(development_identity(token[len(PREFIX) :]))


class NoSignIn:
    """Refuses every token: the server has no way to sign in."""

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Refuse the token."""
        if token.startswith(PREFIX):
            raise InvalidToken("development tokens are believed only by `synovia dev` on a loopback address")
        raise InvalidToken("this server has no sign-in configured")
