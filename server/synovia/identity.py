"""Who is calling: what a verified token says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. ``subject`` is unique within ``issuer``; two identities are one caller if both are equal."""

    issuer: str
    subject: str
    email: str | None = None
    name: str | None = None
    image: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """The caller as one string, as applications store it."""
        return f"{self.issuer}|{self.subject}"


class InvalidToken(Exception):
    """A token is not accepted; the message may be shown to the client."""


class Authenticator(Protocol):
    """Turns a token into an identity."""

    async def authenticate(self, token: str) -> Identity:
        """Verify a token.

        Raises:
            InvalidToken: The token is not accepted.
        """
        ...
