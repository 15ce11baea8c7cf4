"""Sign in with Google: ID tokens, verified by google-auth against Google's keys.

That library is imported by whoever signs in with Google only: it takes a twentieth of the time in which a hub starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from synovia.auth.accounts import normal_email
from synovia.auth.fetching import FetchError, check_url, fetch_json
from synovia.auth.keycache import KeyCache, KeyTimes, Loaded
from synovia.auth.tokens import (
    Clock,
    Unverified,
    check_audience,
    check_times,
    optional_text,
    refused,
    subject_of,
)
from synovia.identity import Identity

ISSUER = "https://accounts.google.com"
ISSUERS = frozenset({ISSUER, "accounts.google.com"})
CERTS_URL = "https://www.googleapis.com/oauth2/v1/certs"


class GoogleVerifier:
    """Verifies Google's ID tokens: signature, audience, issuer, times, and that Google has verified the e-mail address.

    Args:
        client_ids: The audiences: the OAuth client ids of the web page, which comes first, the desktop program and so on.
        certs_url: Where the certificates are, as ``{"key id": "PEM"}``.
        leeway: Seconds by which Google's clock and ours may differ.
        clock: Tells the time of day; google-auth looks at the machine's own clock besides.
    """

    def __init__(
        self,
        client_ids: Collection[str],
        *,
        certs_url: str = CERTS_URL,
        leeway: int = 10,
        times: KeyTimes | None = None,
        clock: Clock = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        from synovia.auth.google_tokens import claims_of

        if not client_ids:
            raise ValueError("Google sign-in needs the client ids of the programs that sign in")
        self.issuers: Collection[str] = ISSUERS
        self.client_ids: Sequence[str] = tuple(client_ids)
        self._claims_of = claims_of
        self._certs_url = check_url(certs_url)
        self._leeway = leeway
        self._clock = clock
        self._times = times or KeyTimes()
        self.keys = KeyCache("Google", self._load, self._times, monotonic)

    async def verify(self, token: str, unverified: Unverified) -> tuple[Identity, float]:
        """Give who the token is, and when it expires (seconds since 1970).

        Raises:
            InvalidToken: It is not accepted.
            SignInUnavailable: Google's keys cannot be had.
        """
        if unverified.algorithm != "RS256":
            raise refused("an algorithm that is not allowed")
        certificate = await self.keys.find(unverified.key_id)
        if certificate is None:
            raise refused("an unknown key")
        claims = self._claims_of(token, {unverified.key_id: certificate}, self.client_ids, self._leeway)
        return self._identity(claims), check_times(claims, self._clock(), self._leeway)

    def _identity(self, claims: dict[str, Any]) -> Identity:
        if claims.get("iss") not in ISSUERS:
            raise refused("another issuer")
        check_audience(claims, self.client_ids)
        email = optional_text(claims, "email", 254)
        if claims.get("email_verified") is not True or email is None:
            raise refused("the e-mail address is not verified")
        # Both spellings of the issuer are one: a person must not become two.
        return Identity(
            ISSUER,
            subject_of(claims),
            normal_email(email),
            optional_text(claims, "name"),
            optional_text(claims, "picture"),
            {"hd": claims["hd"]} if optional_text(claims, "hd") else {},
        )

    async def _load(self) -> Loaded[str]:
        fetched = await fetch_json(self._certs_url, seconds=self._times.fetch)
        found = fetched.value
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise FetchError(f"{self._certs_url}: not a map of certificates")
        return Loaded(found, fetched.max_age)

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        await self.keys.close()
