"""Sessions in which an operator looks at a hub from a browser: opened with a key, over after an hour at most.

The key itself is sent once, and not kept by the page. The database holds the SHA-256 of a session's secret, so any hub knows
it; a session ends with its key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Final

from synovia import keys
from synovia.auth.records import Records
from synovia.auth.service_keys import ServiceKeys
from synovia.auth.tokens import Clock, refused
from synovia.errors import Forbidden
from synovia.identity import (
    OPERATOR,
    OPERATOR_OPENS,
    OPERATOR_READS,
    OPERATOR_SESSION,
    Authenticator,
    Identity,
    SignIn,
    operates,
)
from synovia.keys import IndexSpec
from synovia.schema import Document, TableSpec
from synovia.store.base import Store

PREFIX: Final = "synovia-operator-"
SECONDS: Final = 3_600
"""So long a session is good."""
MOST_EXPIRED: Final = 100
BY_EXPIRY = IndexSpec("by_expiry", ("expiresAt",))
OPERATOR_SESSIONS = TableSpec("_operatorSessions", (BY_EXPIRY,))
DEVELOPMENT: Final = "development"
"""Who runs a hub under ``synovia dev``."""

_TOKEN = re.compile(r"synovia-operator-([0-9a-f]{16})-([A-Za-z0-9_-]{43})")
_NO_HASH = bytes(32)


class OperatorSessions:
    """Opens, verifies and ends the sessions of operators.

    Attributes:
        ended: Called with each session that has been ended here.
    """

    def __init__(self, store: Store, service_keys: ServiceKeys, clock: Clock) -> None:
        self._records = Records(store, OPERATOR_SESSIONS.name)
        self._keys = service_keys
        self._clock = clock
        self.ended: Callable[[str], None] = lambda session: None

    async def open(self, key: str) -> SignIn:
        """Open a session with the key of a service that is an operator's.

        Raises:
            InvalidToken: It is no good key.
            Forbidden: It is one, but not an operator's.
        """
        signed_in = await self._keys.authenticate(key)
        if not operates(signed_in.identity):
            raise Forbidden(f"this is for keys with the role {OPERATOR!r} or {OPERATOR_READS!r}")
        roles = [role for role in signed_in.identity.roles if role in (OPERATOR, OPERATOR_READS, OPERATOR_OPENS)]
        return await self._open(signed_in.identity.subject, roles, key)

    async def open_in_development(self) -> SignIn:
        """Open a session of whoever develops on this machine."""
        return await self._open(DEVELOPMENT, [OPERATOR, OPERATOR_OPENS], None)

    async def _open(self, name: str, roles: list[str], key: str | None) -> SignIn:
        await self._forget_expired()
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        parts = None if key is None else key.split("-")
        document: Document = {
            "_id": id_,
            "name": name,
            "roles": roles,
            "hash": _hash(secret),
            "key": None if parts is None else parts[2],
            "expiresAt": self._now() + SECONDS * 1000,
        }
        await self._records.change(id_, lambda _: (document, None))
        return _sign_in(document, f"{PREFIX}{id_}-{secret}")

    async def authenticate(self, token: str) -> SignIn:
        """Give the identity of a session.

        Raises:
            InvalidToken: It is none, is over, or its key has been revoked.
        """
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            raise refused("not the form of an operator's session")
        found = await self._records.get(parts[1])
        expected = _NO_HASH if found is None else bytes(found["hash"])
        if not hmac.compare_digest(_hash(parts[2]), expected) or found is None or found["expiresAt"] <= self._now():
            raise refused("no session of an operator that is good")
        if found["key"] is not None and not await self._keys.is_good(found["key"]):
            raise refused("a session whose key was revoked")
        return _sign_in(found, token)

    async def end(self, token: str) -> None:
        """End a session; nothing happens if it is none."""
        parts = _TOKEN.fullmatch(token)
        found = None if parts is None else await self._records.get(parts[1])
        if parts is not None and found is not None and hmac.compare_digest(_hash(parts[2]), bytes(found["hash"])):
            await self._records.delete([found])
            self.ended(_session(found))

    async def _forget_expired(self) -> None:
        expired = keys.between((), None, (self._now(), True))
        await self._records.delete(await self._records.find(BY_EXPIRY, expired, MOST_EXPIRED))

    def _now(self) -> int:
        return int(self._clock() * 1000)


class WithOperators:
    """An authenticator that takes the sessions of operators, and leaves every other token to another one."""

    def __init__(self, sessions: OperatorSessions, others: Authenticator) -> None:
        self._sessions = sessions
        self._others = others

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Sign in with any token; see ``Authenticator``."""
        if token.startswith(PREFIX):
            return await self._sessions.authenticate(token)
        return await self._others.authenticate(token, exchange=exchange)


def _sign_in(document: Document, token: str) -> SignIn:
    name = document["name"]
    identity = Identity(OPERATOR_SESSION, name, name=name, roles=tuple(document["roles"]))
    return SignIn(identity, token=token, expires_at=document["expiresAt"], session=_session(document))


def _session(document: Document) -> str:
    """Name what ends it: its key, if it was opened with one."""
    return f"operator:{document['_id']}" if document["key"] is None else f"key:{document['key']}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
