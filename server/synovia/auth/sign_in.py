"""Where tokens are shown: each kind goes to who verifies it, and who has proved themselves elsewhere gets a session here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from synovia.auth.development import PREFIX as DEVELOPMENT_PREFIX
from synovia.auth.development import DevelopmentAuthenticator
from synovia.auth.email import CODE_PREFIX, CODES, LINK_PREFIX, EmailSignIn
from synovia.auth.google import GoogleVerifier
from synovia.auth.keyring import KEYS, KeyRing
from synovia.auth.oidc import OidcVerifier
from synovia.auth.sessions import ISSUER, SESSIONS, Sessions
from synovia.auth.settings import AuthSettings
from synovia.auth.tokens import REFUSAL, Clock, Unverified, read, refused
from synovia.identity import Identity, InvalidToken, SignIn
from synovia.mail.smtp import Mailer
from synovia.schema import TableSpec
from synovia.store.base import Store, StoreError
from synovia.tasks import end

logger = logging.getLogger("synovia.auth")

TABLES: Sequence[TableSpec] = (KEYS, SESSIONS, CODES)
"""What sign-in keeps in the database."""
_OVERLAP_MS = 60_000
"""How far back each look goes: the clocks of two hubs may differ."""


class Verifier(Protocol):
    """Verifies the tokens of some issuers."""

    @property
    def issuers(self) -> Collection[str]: ...

    @property
    def client_ids(self) -> Sequence[str]:
        """The programs whose tokens are taken, as the issuers know them; none where pages are named instead."""
        ...

    async def verify(self, token: str, unverified: Unverified) -> tuple[Identity, float]: ...

    async def close(self) -> None: ...


class SignInService:
    """Takes every kind of token that is configured.

    Attributes:
        revoked: Called with each session that has been revoked, by whichever hub.
    """

    def __init__(
        self,
        sessions: Sessions,
        verifiers: Sequence[Verifier] = (),
        *,
        email: EmailSignIn | None = None,
        development: DevelopmentAuthenticator | None = None,
        clock: Clock = time.time,
        look_every: float = 5.0,
        tidy_every: float = 3_600.0,
    ) -> None:
        self.sessions = sessions
        self.email = email
        self.revoked: Callable[[str], None] = lambda session: None
        self._verifiers = verifiers
        self._by_issuer = {issuer: each for each in verifiers for issuer in each.issuers}
        self._development = development
        self._clock = clock
        self._announce_every = look_every
        self._tidy_every = tidy_every
        self._tidied_at = clock()
        self._announced_until = int(clock() * 1000)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def configured(
        cls,
        settings: AuthSettings,
        store: Store,
        *,
        development: DevelopmentAuthenticator | None = None,
        mailer: Mailer | None = None,
        clock: Clock = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> SignInService | None:
        """Make what the settings say; None if there is no way to sign in.

        Args:
            mailer: Takes the place of the mail server, as in development.

        Raises:
            ValueError, OSError: Something in the settings cannot work.
        """
        times = settings.session_times
        verifiers = _verifiers(settings, clock, monotonic)
        email = _email(settings, store, mailer or settings.mailer(), clock, monotonic)
        if not verifiers and email is None and development is None:
            return None
        ring = KeyRing(store, settings.secrets(), signs=times.signing, lasts=times.key_life, clock=clock)
        sessions = Sessions(store, ring, times, clock)
        return cls(sessions, verifiers, email=email, development=development, clock=clock)

    @property
    def ways(self) -> list[str]:
        """The ways to sign in, for people."""
        ways = ["token dev:EMAIL, as dev:alice@example.org"] if self._development is not None else []
        ways += sorted({min(each.issuers, key=len) for each in self._verifiers})
        return ways + (["a code by e-mail"] if self.email is not None else [])

    @property
    def config(self) -> dict[str, Any]:
        """What a page or a desktop program has to know to offer the ways to sign in; no secret is among it."""
        google = next((each for each in self._verifiers if isinstance(each, GoogleVerifier)), None)
        return {
            "googleClientId": None if google is None else google.client_ids[0],
            "email": self.email is not None,
            "development": self._development is not None,
            "issuers": [
                {"issuer": max(each.issuers, key=len), "clientIds": list(each.client_ids)}
                for each in self._verifiers
                if each.client_ids
            ],
        }

    # --- signing in

    async def authenticate(self, token: str, *, exchange: bool = True) -> SignIn:
        """Sign in with any token; see ``Authenticator``."""
        try:
            return await self._authenticate(token, exchange)
        except InvalidToken as error:
            logger.info("a token was refused: %s", error.reason)
            raise

    async def _authenticate(self, token: str, exchange: bool) -> SignIn:
        if token.startswith(DEVELOPMENT_PREFIX):
            if self._development is None:
                raise refused("a development token")
            return await self._development.authenticate(token, exchange=exchange)
        if token.startswith((CODE_PREFIX, LINK_PREFIX)):
            if self.email is None or not exchange:
                raise refused("a code that cannot be taken here")
            return await self.sessions.open(await self.email.authenticate(token))
        if self._development is not None and ("@" in token or token.count(".") != 2):
            raise InvalidToken(
                f"{REFUSAL}: in development it is dev:EMAIL, as dev:alice@example.org", "no token at all"
            )
        unverified = read(token)
        if unverified.issuer == ISSUER:
            return await self.sessions.authenticate(token, unverified, exchange=exchange)
        return await self._from_elsewhere(token, unverified, exchange)

    async def _from_elsewhere(self, token: str, unverified: Unverified, exchange: bool) -> SignIn:
        verifier = self._by_issuer.get(unverified.issuer)
        if verifier is None:
            raise refused("an unknown issuer")
        identity, expires_at = await verifier.verify(token, unverified)
        if exchange:
            return await self.sessions.open(identity)
        return SignIn(identity, expires_at=int(expires_at * 1000))

    async def sign_out(self, token: str) -> None:
        """End the session of one of our tokens; that of a session which has ended already is fine too.

        Raises:
            InvalidToken: It is not accepted.
        """
        unverified = read(token)
        if unverified.issuer != ISSUER:
            raise refused("not a token of ours")
        session = await self.sessions.session_of(token, unverified)
        await self.sessions.revoke(session)
        self.revoked(session)
        await self.announce_revocations()  # what has ended with it

    # --- what goes on meanwhile

    def start(self) -> None:
        """Begin to look for revoked sessions; the store has to be open."""
        self._task = asyncio.create_task(self._maintain(), name="sign-in housekeeping")

    async def stop(self) -> None:
        """Stop that, and fetches that are under way."""
        if self._task is not None:
            await end([self._task])
        for each in self._verifiers:
            await each.close()

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(self._announce_every)
            try:
                await self.announce_revocations()
                if not 0 <= self._clock() - self._tidied_at < self._tidy_every:  # the clock may go back
                    await self.tidy()
            except StoreError as error:
                logger.warning("sessions cannot be looked after at the moment: %s", error)
            except Exception:
                logger.exception("sessions could not be looked after")

    async def announce_revocations(self) -> None:
        """Tell of the sessions that have been revoked of late.

        Each is told several times: somebody may have been signing in by it just when it was told first.
        """
        since = self._announced_until - _OVERLAP_MS
        self._announced_until = int(self._clock() * 1000)
        for session in await self.sessions.revoked_since(since):
            self.revoked(session)

    async def tidy(self) -> None:
        """Delete what has expired."""
        self._tidied_at = self._clock()
        await self.sessions.tidy()
        if self.email is not None:
            await self.email.tidy()


def _verifiers(settings: AuthSettings, clock: Clock, monotonic: Callable[[], float]) -> list[Verifier]:
    times = settings.key_times
    found: list[Verifier] = [
        OidcVerifier(issuer, times=times, clock=clock, monotonic=monotonic) for issuer in settings.all_issuers()
    ]
    if settings.google_client_ids:
        url = settings.google_certs_url
        google = GoogleVerifier(
            settings.google_client_ids, certs_url=url, times=times, clock=clock, monotonic=monotonic
        )
        if any(issuer in google.issuers for each in found for issuer in each.issuers):
            raise ValueError("Google is configured twice: among the issuers and by its client ids")
        found.append(google)
    return found


def _email(
    settings: AuthSettings, store: Store, mailer: Mailer | None, clock: Clock, monotonic: Callable[[], float]
) -> EmailSignIn | None:
    if mailer is None:
        return None
    return EmailSignIn(
        store,
        mailer,
        sender=settings.sender,
        name=settings.email_name,
        link=settings.email_link,
        times=settings.email_times,
        clock=clock,
        monotonic=monotonic,
    )
