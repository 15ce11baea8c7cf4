"""The server's own sessions: after a sign-in elsewhere, a short-lived access token and a longer-lived refresh token.

Both name a session, a document that can be revoked and that says who the caller is. A refresh token works once: it gives the
next one. If an older one turns up again, somebody has a copy, and the session ends for both. The one before the newest
is still taken for a short while, since its answer may have been lost with the connection.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal

from jose.jwk import construct

from synovia import keys
from synovia.auth.keyring import KeyRing
from synovia.auth.records import Records
from synovia.auth.signatures import check_signature, sign
from synovia.auth.tokens import Clock, Unverified, check_times, refused
from synovia.functions.audit import IMPERSONATE_END, AuditEntry
from synovia.functions.services import ImpersonationSession
from synovia.identity import Identity, Impersonation, SignIn
from synovia.keys import IndexSpec
from synovia.schema import Document, Id, TableSpec
from synovia.store.base import Store

logger = logging.getLogger("synovia.auth")

ISSUER = "synovia"
ALGORITHM = "HS256"
BY_OWNER = IndexSpec("by_owner", ("issuer", "subject"))
BY_EXPIRY = IndexSpec("by_expiry", ("expiresAt",))
BY_REVOCATION = IndexSpec("by_revocation", ("revokedAt",))
BY_ACTOR = IndexSpec("by_actor", ("actor",))
SESSIONS = TableSpec("_sessions", (BY_OWNER, BY_EXPIRY, BY_REVOCATION, BY_ACTOR))

MOST_SESSIONS = 50
"""Sessions of one identity at a time."""

Use = Literal["access", "refresh"]
_SESSION_ID = re.compile(r"s_[0-9a-f]{32}")
_PAGE = 500
_LONGEST_LOOK = 900.0
"""Seconds for which somebody may look at the application as another user."""
_LEEWAY = 5.0
"""Seconds by which the clocks of two hubs may differ."""


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """Lifetimes in seconds.

    Attributes:
        access: Of an access token.
        refresh: Of a refresh token, counted anew with each one.
        longest: Of a session, from the sign-in on, whatever is refreshed.
        grace: How long the refresh token before the newest is still taken.
        signing: For which a key signs before the next one is made.
    """

    access: float = 900.0
    refresh: float = 14 * 86_400.0
    longest: float = 90 * 86_400.0
    grace: float = 30.0
    signing: float = 7 * 86_400.0

    @property
    def key_life(self) -> float:
        """How long after its making a key may have to verify."""
        return self.signing + self.refresh + self.access + _LEEWAY


class Sessions:
    """Opens sessions, knows their tokens, and ends them.

    Args:
        store: Must be open before the first call, with ``SESSIONS`` and ``KEYS`` among its tables.
    """

    def __init__(
        self, store: Store, ring: KeyRing, times: SessionTimes | None = None, clock: Clock = time.time
    ) -> None:
        self.times = times or SessionTimes()
        self._records = Records(store, SESSIONS.name)
        self._audit = Records(store, AuditEntry.spec.name)
        self._ring = ring
        self._clock = clock

    def _now(self) -> int:
        return int(self._clock() * 1000)

    # --- signing in

    async def open(self, identity: Identity) -> SignIn:
        """Begin a session for somebody who has just proved who they are."""
        now = self._now()
        session = _document(identity, now, self._end(now, now))
        await self._records.change(session["_id"], lambda _: (session, None))
        await self._make_room(identity)
        return await self._tokens(session)

    async def _make_room(self, identity: Identity) -> None:
        """Delete the sessions that have lain idle longest once somebody has too many, so that nobody fills the table."""
        found = await self._records.find_equal(BY_OWNER, identity.issuer, identity.subject, limit=_PAGE)
        found = [session for session in found if session.get("actor") is None]
        latest = self._now() + int(
            _LEEWAY * 1000
        )  # what a clock that was ahead has made is not the newest, but no good
        found.sort(key=lambda session: (session["refreshedAt"] <= latest, session["refreshedAt"]))
        await self._records.delete(found[: max(0, len(found) - MOST_SESSIONS)])

    async def impersonate(self, identity: Identity, impersonation: Impersonation) -> ImpersonationSession:
        """Make a session in which somebody looks at the application as somebody else; it cannot be refreshed."""
        now = self._now()
        expires_at = (now + int(min(self.times.access, _LONGEST_LOOK) * 1000)) // 1000 * 1000
        session = _document(identity, now, expires_at) | {
            "actor": impersonation.by.key,
            "look": _impersonation_document(impersonation),
        }
        return ImpersonationSession(await self._sign(session, "access", expires_at), expires_at, SESSIONS.name, session)

    def _end(self, now: int, created: int) -> int:
        return min(now + int(self.times.refresh * 1000), created + int(self.times.longest * 1000))

    async def _tokens(self, session: Document) -> SignIn:
        now = self._now()
        expires_at = min(now + int(self.times.access * 1000), session["expiresAt"]) // 1000 * 1000
        return SignIn(
            _identity(session),
            await self._sign(session, "access", expires_at),
            await self._sign(session, "refresh", session["expiresAt"]),
            expires_at,
            session["_id"],
        )

    async def _sign(self, session: Document, use: Use, expires_at: int) -> str:
        key = await self._ring.signing()
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "use": use,
            "sid": session["_id"],
            "iat": self._now() // 1000,
            "exp": expires_at // 1000,
        }
        if (actor := session.get("actor")) is not None:
            claims["act"] = {"sub": actor}  # RFC 8693, 4.1
        if use == "refresh":
            claims["gen"] = int(session["generation"])
        return sign(claims, construct(key.key, ALGORITHM), key.id, ALGORITHM)

    async def authenticate(self, token: str, unverified: Unverified, *, exchange: bool) -> SignIn:
        """Sign in with an access token, or with a refresh token if those may be exchanged.

        Raises:
            InvalidToken: It is not accepted.
        """
        claims = await self._verified(token, unverified)
        if claims.get("use") == "access":
            session = self._alive(await self._records.get(claims["sid"]))
            actor = session.get("actor")
            if claims.get("act") != (None if actor is None else {"sub": actor}):
                raise refused("another actor than that of the session")
            return SignIn(_identity(session), expires_at=int(claims["exp"] * 1000), session=claims["sid"])
        if claims.get("use") != "refresh" or not exchange:
            raise refused("a refresh token in place of an access token")
        return await self._refresh(claims)

    async def session_of(self, token: str, unverified: Unverified) -> str:
        """Tell which session a token of ours belongs to, be it access or refresh.

        Raises:
            InvalidToken: It is not ours, or has expired.
        """
        found: str = (await self._verified(token, unverified))["sid"]
        return found

    async def _verified(self, token: str, unverified: Unverified) -> dict[str, Any]:
        if unverified.algorithm != ALGORITHM:
            raise refused("an algorithm that is not allowed")
        key = await self._ring.find(unverified.key_id)
        if key is None:
            raise refused("an unknown key")
        check_signature(token, construct(key.key, ALGORITHM), ALGORITHM)
        claims = unverified.claims
        check_times(claims, self._clock(), _LEEWAY if claims.get("use") == "refresh" else 0.0)
        if not isinstance(claims.get("sid"), str) or _SESSION_ID.fullmatch(claims["sid"]) is None:
            raise refused("no session")
        return claims

    def _alive(self, session: Document | None) -> Document:
        if session is None:
            raise refused("the session is not there")
        if session.get("revokedAt") is not None:
            raise refused("the session was revoked")
        if session["expiresAt"] <= self._now():
            raise refused("the session has expired")
        return session

    # --- refreshing

    async def _refresh(self, claims: dict[str, Any]) -> SignIn:
        generation = claims.get("gen")
        if not isinstance(generation, int):
            raise refused("no generation")

        def step(session: Document | None) -> tuple[Document | None, Document | None]:
            return self._stepped(self._alive(session), generation)

        after = await self._records.change(claims["sid"], step)
        if after is None:
            logger.warning("session %s: a refresh token was used again; the session is revoked", claims["sid"])
            await self._end_looks(await self._records.get(claims["sid"]))
            raise refused("a refresh token was used again")
        return await self._tokens(after)

    def _stepped(self, session: Document, generation: int) -> tuple[Document, Document | None]:
        """Give the session after a refresh token, and as it is to be told; None: the token is an old copy."""
        now = self._now()
        if session.get("actor") is not None:
            raise refused("a session that cannot be refreshed")
        if generation == session["generation"]:
            after = session | {
                "generation": generation + 1,
                "refreshedAt": now,
                "expiresAt": self._end(now, session["createdAt"]),
            }
            return after, after
        recent = session["refreshedAt"] <= now < session["refreshedAt"] + self.times.grace * 1000
        if generation == session["generation"] - 1 and recent:
            return session, session
        return _revoked(session, now, "reuse"), None

    # --- ending

    async def revoke(self, session: str, reason: str = "signed out") -> bool:
        """End one session, and tell whether it was still going on.

        With somebody's own session end those in which they look at the application as others.
        """

        def end(found: Document | None) -> tuple[Document | None, Document | None]:
            if found is None or found.get("revokedAt") is not None:
                return found, None
            return _revoked(found, self._now(), reason), found

        ended = await self._records.change(session, end)
        await self._end_looks(ended)
        return ended is not None

    async def _end_looks(self, session: Document | None) -> None:
        """End the sessions in which the owner of one that has ended looks as others, and say so in the audit table."""
        if session is None:
            return
        if session.get("actor") is not None:
            await self._note_end(session)
            return
        for look in await self._records.find_equal(BY_ACTOR, _identity(session).key, limit=_PAGE):
            await self.revoke(look["_id"], "the impersonator has signed out")

    async def _note_end(self, look: Document) -> None:
        entry = AuditEntry(
            id=Id(look["_id"]), at=self._now(), actor=look["actor"], action=IMPERSONATE_END, subject=_identity(look).key
        )
        await self._audit.change(entry.id, lambda _: (entry.to_document(), None))

    async def revoke_all(self, issuer: str, subject: str, reason: str = "signed out everywhere") -> int:
        """End all sessions of an identity; tell how many."""
        ended = 0
        for session in await self._records.find_equal(BY_OWNER, issuer, subject, limit=_PAGE):
            ended += await self.revoke(session["_id"], reason)
        return ended

    async def revoked_since(self, since: int) -> list[str]:
        """Tell which sessions have been revoked after a time (milliseconds since 1970), by whichever hub."""
        interval = keys.between((), (since, False), None)
        found = await self._records.find(BY_REVOCATION, interval, _PAGE)
        return [session["_id"] for session in found]

    async def tidy(self) -> None:
        """Delete sessions and keys of which no token is good any more."""
        while found := await self._records.find(BY_EXPIRY, keys.between((), None, (self._now(), True)), _PAGE):
            await self._records.delete(found)
            if len(found) < _PAGE:
                break
        await self._ring.tidy()


def _revoked(session: Document, now: int, reason: str) -> Document:
    return session | {"revokedAt": now, "revokedBecause": reason}


def _document(identity: Identity, now: int, expires_at: int) -> Document:
    return {
        "_id": f"s_{secrets.token_hex(16)}",
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "name": identity.name,
        "image": identity.image,
        "claims": json.dumps(dict(identity.claims)),  # a text: not every JSON value is a BSON value
        "generation": 1,
        "createdAt": now,
        "refreshedAt": now,
        "expiresAt": expires_at,
    }


def _identity(session: Document) -> Identity:
    return Identity(
        session["issuer"],
        session["subject"],
        session["email"],
        session["name"],
        session["image"],
        json.loads(session["claims"]),
        impersonation=None if session.get("actor") is None else _impersonation(json.loads(session["look"])),
    )


def _impersonation_document(impersonation: Impersonation) -> str:
    by = impersonation.by
    told = [by.issuer, by.subject, by.email, by.name, by.image, dict(by.claims)]
    return json.dumps({"by": told, "leave": impersonation.permission})


def _impersonation(told: dict[str, Any]) -> Impersonation:
    return Impersonation(Identity(*told["by"]), told["leave"])
