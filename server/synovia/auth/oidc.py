"""Sign in with any OpenID Connect issuer: tokens verified by python-jose against the issuer's JWK set."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from jose.backends.base import Key
from jose.jwk import construct

from synovia.auth.accounts import normal_email
from synovia.auth.fetching import FetchError, check_url, fetch_json
from synovia.auth.issuers import Issuer
from synovia.auth.keycache import KeyCache, KeyTimes, Loaded
from synovia.auth.signatures import check_signature
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

logger = logging.getLogger("synovia.auth")

WELL_KNOWN = "/.well-known/openid-configuration"
_KEY_TYPES = {"RS": "RSA", "ES": "EC"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_LEAST_RSA_BYTES = 256
_MOST_RSA_BYTES = 1024
_MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of an issuer, ready for each algorithm that it may be used with."""

    by_algorithm: dict[str, Key]


class OidcVerifier:
    """Verifies the tokens of one issuer.

    Args:
        issuer: What is known of it.
        clock: Tells the time of day.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        times: KeyTimes | None = None,
        clock: Clock = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuers: Collection[str] = frozenset({issuer.issuer})
        self.client_ids: Sequence[str] = issuer.audience
        self._issuer = issuer
        self._clock = clock
        self._times = times or KeyTimes()
        self.keys = KeyCache(issuer.issuer, self._load, self._times, monotonic)

    async def verify(self, token: str, unverified: Unverified) -> tuple[Identity, float]:
        """Give who the token is, and when it expires (seconds since 1970).

        Raises:
            InvalidToken: It is not accepted.
            SignInUnavailable: The issuer's keys cannot be had.
        """
        if unverified.algorithm not in self._issuer.algorithms:
            raise refused("an algorithm that is not allowed")
        found = await self.keys.find(unverified.key_id)
        if found is None:
            raise refused("an unknown key")
        key = found.by_algorithm.get(unverified.algorithm)
        if key is None:
            raise refused("an algorithm that is not the key's")
        check_signature(token, key, unverified.algorithm)
        # What has been read strictly is what was signed: the segments are canonical.
        claims = unverified.claims
        return self._identity(claims), check_times(claims, self._clock(), self._issuer.leeway)

    def _identity(self, claims: dict[str, Any]) -> Identity:
        issuer = self._issuer
        if claims.get("iss") != issuer.issuer:
            raise refused("another issuer")
        if issuer.audience:
            check_audience(claims, issuer.audience)
        if issuer.authorized_parties and claims.get("azp") not in issuer.authorized_parties:
            raise refused("for another party")
        return Identity(
            issuer.issuer,
            subject_of(claims),
            _email(claims) if issuer.use_email else None,
            optional_text(claims, "name"),
            optional_text(claims, "picture"),
            {name: value for name, path in issuer.claims.items() if (value := claim_at(claims, path)) is not None},
        )

    # --- keys

    async def _load(self) -> Loaded[PublicKey]:
        url = self._issuer.jwks_uri or await self._discover()
        fetched = await fetch_json(url, seconds=self._times.fetch)
        found = fetched.value.get("keys") if isinstance(fetched.value, dict) else None
        if not isinstance(found, list):
            raise FetchError(f"{url}: not a JWK set")
        return Loaded(usable_keys(found, self._issuer.algorithms), fetched.max_age)

    async def _discover(self) -> str:
        """Ask the issuer where its keys are; each time, since the answer may move with them."""
        url = self._issuer.issuer.rstrip("/") + WELL_KNOWN
        found = (await fetch_json(url, seconds=self._times.fetch)).value
        if not isinstance(found, dict) or found.get("issuer") != self._issuer.issuer:
            raise FetchError(f"{url}: not the configuration of this issuer")
        try:
            return check_url(str(found.get("jwks_uri")))
        except ValueError as error:
            raise FetchError(f"{url}: jwks_uri {error}") from None

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        await self.keys.close()


def _email(claims: dict[str, Any]) -> str | None:
    """Give the address if the issuer says that it is verified; Apple says so in a text."""
    verified = claims.get("email_verified")
    if verified is not True and verified != "true":
        if "email" in claims:
            logger.info("a token of %s has an e-mail address that is not verified; it is left out", claims.get("iss"))
        return None
    email = optional_text(claims, "email", 254)
    return None if email is None else normal_email(email)


def claim_at(claims: dict[str, Any], path: str) -> Any:
    """Find a claim by its name, or by a path with dots into maps; None if it is not there."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def usable_keys(found: list[Any], algorithms: Collection[str]) -> dict[str, PublicKey]:
    """Keep the public signing keys that go with one of the algorithms, by their ids; others are not ours to complain of.

    A key without an id is there under the empty text if it is the only one: Convex Auth has such a key and names it in no
    token. Of several nobody could tell which is meant.
    """
    keys: dict[str, PublicKey] = {}
    without_id: list[PublicKey] = []
    for data in found[:_MOST_KEYS]:
        if isinstance(data, dict) and data.get("use", "sig") == "sig":
            made = {each: key for each in algorithms if (key := _construct(data, each)) is not None}
            if made and "kid" not in data:
                without_id.append(PublicKey(made))
            elif made and isinstance(data["kid"], str) and data["kid"]:
                keys[data["kid"]] = PublicKey(made)
    return keys | ({"": without_id[0]} if len(without_id) == 1 else {})


def _construct(data: dict[str, Any], algorithm: str) -> Key | None:
    if data.get("kty") != _KEY_TYPES[algorithm[:2]] or data.get("alg", algorithm) != algorithm:
        return None
    if data["kty"] == "EC" and data.get("crv") != _CURVES[algorithm]:
        return None
    public = {name: data[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in data}
    if data["kty"] == "RSA" and not _LEAST_RSA_BYTES <= len(str(data.get("n"))) * 3 // 4 <= _MOST_RSA_BYTES:
        return None
    try:
        return construct(public, algorithm)
    except Exception:  # whatever cryptography makes of numbers that are no key
        return None
