"""Who is calling: what a verified token says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. ``subject`` is unique within ``issuer``.

    Two identities are equal, and may be shown one and the same result, only if all that a function can see is equal: the
    claims too.

    Attributes:
        email: An address that the issuer says belongs to the caller, in lower case; None if it does not vouch for it.
        claims: What else the issuer says, under the names that the application asked for; values as JSON has them.
        roles: What the key of a service carries; the roles of people are found by the application's table.
        impersonation: Who looks at the application as this caller, read-only; None: it is the caller themselves.
    """

    issuer: str
    subject: str
    email: str | None = None
    name: str | None = None
    image: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False)
    roles: tuple[str, ...] = ()
    impersonation: Impersonation | None = None
    _claims_key: str = field(init=False, repr=False, default="")

    def __post_init__(self) -> None:
        if self.claims:
            object.__setattr__(self, "_claims_key", json.dumps(self.claims, sort_keys=True, default=repr))

    @property
    def key(self) -> str:
        """The caller as one string, as applications store it."""
        return f"{self.issuer}|{self.subject}"

    @property
    def pseudonym(self) -> str:
        """The same for each call of the caller, and it does not say who they are: for what outlives their account."""
        return f"user|{hashlib.blake2b(self.key.encode(), digest_size=16).hexdigest()}"

    @property
    def actor(self) -> str | None:
        """The ``key`` of who looks at the application as this caller; None: the caller themselves."""
        return None if self.impersonation is None else self.impersonation.by.key


@dataclass(frozen=True, slots=True)
class Account:
    """Whom work is charged to.

    Attributes:
        address: The network address that it comes from; None: the server itself.
        connection: One of its connections.
    """

    address: Hashable = None
    connection: Hashable = None


SERVER = Account()


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Permission to look at the application as somebody else.

    Attributes:
        by: Who looks.
        permission: The path of the mutation that gave it; it ends when ``by`` could not call that any more.
    """

    by: Identity
    permission: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a token gives.

    Attributes:
        token: A token of the server's own to sign in with from now on; None: go on with the one that was sent.
        refresh_token: What gives new tokens once ``token`` has expired.
        expires_at: When the caller has to have signed in again, in milliseconds since 1970 (UTC); None: never.
        session: The server's own session behind it, which can be revoked.
    """

    identity: Identity
    token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: int | None = None
    session: str | None = None


OPERATOR = "operator"
"""The role of a service's key that opens all that is an operator's."""
OPERATOR_READS = "operator-read"
"""The role of one that only looks."""
OPERATOR_OPENS = "operator-opens"
"""The role of one that is also shown what is encrypted in the database, each time with an entry of the audit table."""
SERVICE = "service"
"""The issuer of the keys of services."""
OPERATOR_SESSION = "operator"
"""The issuer of a session in which somebody runs this hub from a browser."""


def operates(identity: Identity | None) -> bool:
    """Tell whether the caller runs this hub: by a key that says so, or in a session that was opened with one."""
    if identity is None or identity.impersonation is not None:
        return False
    return identity.issuer in (SERVICE, OPERATOR_SESSION) and not {OPERATOR, OPERATOR_READS}.isdisjoint(identity.roles)


def may_change(identity: Identity | None) -> bool:
    """Tell whether the caller runs this hub, and may do more than look."""
    return identity is not None and operates(identity) and OPERATOR in identity.roles


def may_open(identity: Identity | None) -> bool:
    """Tell whether the caller runs this hub, and may see what is encrypted in the database."""
    return identity is not None and operates(identity) and OPERATOR_OPENS in identity.roles


class InvalidToken(Exception):
    """A token is not accepted; the message may be shown to the client.

    Attributes:
        reason: For the log of the server: what is wrong with it, and nothing that is in it.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class SignInUnavailable(Exception):
    """Nobody can tell at the moment whether a token is good; the message may be shown to the client."""


class Authenticator(Protocol):
    """Turns a token into an identity."""

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Verify a token.

        Args:
            exchange: Whether the server's own tokens may be given in exchange. Without it, as for a single request over
                HTTP, nothing is written, and a refresh token is refused.

        Raises:
            InvalidToken: The token is not accepted.
            SignInUnavailable: It could not be verified now.
        """
        ...
