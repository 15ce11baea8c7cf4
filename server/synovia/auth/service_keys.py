"""Keys of services: programs that call functions in a name and with roles of their own, without signing in as a person.

A key is shown once, when it is made; the database holds the SHA-256 of its secret (256 random bits, so that nothing slower
than that is needed). Whoever presents it is the identity ``service|NAME``, whose roles are those of the key.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from synovia import keys
from synovia.auth.records import Records
from synovia.auth.tokens import Clock, refused
from synovia.errors import InvalidArguments
from synovia.identity import SERVICE, Authenticator, Identity, SignIn
from synovia.keys import IndexSpec
from synovia.schema import Document, TableSpec
from synovia.store.base import Store, StoreError
from synovia.tasks import end

logger = logging.getLogger("synovia.auth")

BY_NAME = IndexSpec("by_name", ("name", "createdAt"))
BY_REVOCATION = IndexSpec("by_revocation", ("revokedAt",))
SERVICE_KEYS = TableSpec("_serviceKeys", (BY_NAME, BY_REVOCATION))
ISSUER = SERVICE
PREFIX = "synovia-key-"
MOST_KEYS = 1_000
"""Keys that are listed, and that one database may have."""

_TOKEN = re.compile(r"synovia-key-([0-9a-f]{16})-([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OVERLAP_MS = 60_000
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key as it may be shown. Times are in milliseconds since 1970."""

    id: str
    name: str
    roles: tuple[str, ...]
    created_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewServiceKey:
    """A key that has just been made, with the token that is not shown again."""

    key: ServiceKey
    token: str = field(repr=False)


class ServiceKeys:
    """Makes, lists, verifies and revokes the keys of services.

    Attributes:
        revoked: Called with the session of each key that has been revoked, by whichever hub.
    """

    def __init__(self, store: Store, clock: Clock = time.time, *, look_every: float = 5.0) -> None:
        self._records = Records(store, SERVICE_KEYS.name)
        self._clock = clock
        self._look_every = look_every
        self._announced_until = int(clock() * 1000)
        self._task: asyncio.Task[None] | None = None
        self.revoked: Callable[[str], None] = lambda session: None

    async def create(self, name: str, roles: Sequence[str]) -> NewServiceKey:
        """Make a key; several of one name are good at once, so that they can be replaced without a gap.

        Raises:
            InvalidArguments: The name is not one to 64 letters, digits, dots, hyphens and underscores, or a role is empty.
        """
        if _NAME.fullmatch(name) is None:
            raise InvalidArguments("a service is named by 1 to 64 letters, digits, dots, hyphens and underscores")
        if not all(0 < len(role) <= 64 for role in roles):
            raise InvalidArguments("a role is named by 1 to 64 characters")
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        document: Document = {
            "_id": id_,
            "name": name,
            "roles": sorted(set(roles)),
            "hash": _hash(secret),
            "createdAt": int(self._clock() * 1000),
        }
        await self._records.change(id_, lambda _: (document, None))
        return NewServiceKey(_shown(document), f"{PREFIX}{id_}-{secret}")

    async def list(self) -> list[ServiceKey]:
        """List all keys, those of one name in the order in which they were made."""
        return [_shown(each) for each in await self._records.find(BY_NAME, keys.between(()), MOST_KEYS)]

    async def revoke(self, id_: str) -> bool:
        """End a key; tell whether it was still good."""

        def close(found: Document | None) -> tuple[Document | None, bool]:
            if found is None or found.get("revokedAt") is not None:
                return found, False
            return {**found, "revokedAt": int(self._clock() * 1000)}, True

        ended = await self._records.change(id_, close)
        if ended:
            self.revoked(_session(id_))
        return ended

    async def authenticate(self, token: str) -> SignIn:
        """Give the identity of a key.

        Raises:
            InvalidToken: It is none, or has been revoked.
        """
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            raise refused("not the form of a service's key")
        found = await self._records.get(parts[1])
        expected = _NO_HASH if found is None else bytes(found["hash"])
        if not hmac.compare_digest(_hash(parts[2]), expected) or found is None:
            raise refused("no such key of a service")
        if found.get("revokedAt") is not None:
            raise refused("a key of a service that was revoked")
        identity = Identity(ISSUER, found["name"], name=found["name"], roles=tuple(found["roles"]))
        return SignIn(identity, session=_session(parts[1]))

    async def is_good(self, id_: str) -> bool:
        """Tell whether there is such a key, and it has not been revoked."""
        found = await self._records.get(id_)
        return found is not None and found.get("revokedAt") is None

    # --- what other hubs have revoked

    def start(self) -> None:
        """Begin to look for keys that were revoked; the store has to be open."""
        self._task = asyncio.create_task(self._watch(), name="revoked keys of services")

    async def stop(self) -> None:
        """Stop that."""
        if self._task is not None:
            await end([self._task])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            try:
                await self.announce_revocations()
            except StoreError as error:
                logger.warning("revoked keys of services are not known at the moment: %s", error)
            except Exception:
                logger.exception("revoked keys of services could not be looked up")

    async def announce_revocations(self) -> None:
        """Tell of the keys that have been revoked of late, each several times: somebody may just have been signing in."""
        since, self._announced_until = self._announced_until - _OVERLAP_MS, int(self._clock() * 1000)
        recent = keys.between((), (since, True), None)
        for each in await self._records.find(BY_REVOCATION, recent, MOST_KEYS):
            self.revoked(_session(each["_id"]))


class WithServiceKeys:
    """An authenticator that takes the keys of services, and leaves every other token to another one."""

    def __init__(self, service_keys: ServiceKeys, others: Authenticator) -> None:
        self._service_keys = service_keys
        self._others = others

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Sign in with any token; see ``Authenticator``."""
        if token.startswith(PREFIX):
            return await self._service_keys.authenticate(token)
        return await self._others.authenticate(token, exchange=exchange)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _session(id_: str) -> str:
    return f"key:{id_}"


def _shown(document: Document) -> ServiceKey:
    roles = tuple(document["roles"])
    return ServiceKey(document["_id"], document["name"], roles, document["createdAt"], document.get("revokedAt"))
