"""An OpenID Connect issuer as a program sees it: where to send the browser, where to exchange a code, what a token says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import secrets
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from synovia_client.desktop.errors import SignInCode, SignInError
from synovia_client.http_requests import HttpRequests

WELL_KNOWN = "/.well-known/openid-configuration"
GOOGLE = "https://accounts.google.com"
_GOOGLE_TOO = "accounts.google.com"
LEEWAY = 120.0
"""Seconds by which the issuer's clock and ours may differ; the hub looks more closely."""


@dataclass(frozen=True)
class Program:
    """The program as an issuer knows it.

    Attributes:
        client_id: Its id.
        secret: What some issuers (Google) give to programs beside it, and want to see; it protects nothing.
        scopes: What is asked for.
    """

    client_id: str
    secret: str | None = field(default=None, repr=False)
    scopes: str = "openid email profile"


@dataclass(frozen=True)
class Attempt:
    """The secrets of one attempt to sign in; each is used once."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def challenge(self) -> str:
        """The verifier's S256 challenge (RFC 7636)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Endpoints:
    """Where an issuer does what."""

    issuer: str
    authorization: str
    token: str

    def question(self, program: Program, attempt: Attempt, redirect: str, login_hint: str | None = None) -> str:
        """Give the address to which the browser is sent."""
        fields = {
            "response_type": "code",
            "client_id": program.client_id,
            "redirect_uri": redirect,
            "scope": program.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        } | ({} if login_hint is None else {"login_hint": login_hint})
        return self.authorization + ("&" if urlsplit(self.authorization).query else "?") + urlencode(fields)

    def is_issuer(self, name: object) -> bool:
        """Tell whether a name is this issuer's; Google has two."""
        return name == self.issuer or (self.issuer == GOOGLE and name == _GOOGLE_TOO)


async def discover(http: HttpRequests, issuer: str) -> Endpoints:
    """Ask an issuer where it does what.

    Raises:
        SignInError: It cannot be reached, or its answer is not usable.
    """
    try:
        answer = await http.get(_secure(issuer).rstrip("/") + WELL_KNOWN)
    except (OSError, HTTPException) as error:
        raise SignInError(SignInCode.ISSUER_UNREACHABLE, f"{host_of(issuer)} cannot be reached") from error
    found = answer.json
    if answer.status >= 500 or answer.status == 429:
        raise SignInError(SignInCode.ISSUER_UNREACHABLE, f"{host_of(issuer)} answered with status {answer.status}")
    if answer.status != 200 or found.get("issuer") != issuer:
        raise _bad(issuer, "its configuration is missing, or another issuer's")
    methods = found.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise _bad(issuer, "it does not take PKCE with S256")
    try:
        return Endpoints(
            issuer, _secure(str(found.get("authorization_endpoint"))), _secure(str(found.get("token_endpoint")))
        )
    except ValueError as error:
        raise _bad(issuer, str(error)) from None


async def exchange(
    http: HttpRequests, endpoints: Endpoints, program: Program, attempt: Attempt, code: str, redirect: str
) -> str:
    """Exchange a code for an ID token, and check that it is the answer to this attempt.

    The hub checks the signature; who gave it is certain here, since it came straight from the issuer.

    Raises:
        SignInError: The issuer refuses, or the token is not for us.
    """
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "client_id": program.client_id,
        "code_verifier": attempt.verifier,
    } | ({} if program.secret is None else {"client_secret": program.secret})
    host = host_of(endpoints.issuer)
    try:
        answer = await http.post_form(endpoints.token, fields)
    except (OSError, HTTPException) as error:
        raise SignInError(SignInCode.ISSUER_UNREACHABLE, f"{host} cannot be reached") from error
    if answer.status >= 500 or answer.status == 429:
        raise SignInError(SignInCode.ISSUER_UNREACHABLE, f"{host} answered with status {answer.status}")
    if answer.status != 200:
        raise SignInError(SignInCode.CODE_REFUSED, f"{host} does not sign in: {_said(answer.json)}")
    token = answer.json.get("id_token")
    if not isinstance(token, str):
        raise SignInError(SignInCode.BAD_TOKEN, f"{host} gave no ID token")
    check(token, endpoints, program, attempt)
    return token


def check(token: str, endpoints: Endpoints, program: Program, attempt: Attempt) -> None:
    """Check that an ID token is of this issuer, for this program and for this attempt; SignInError if not."""
    claims = _claims(token)
    host = host_of(endpoints.issuer)
    if not endpoints.is_issuer(claims.get("iss")):
        raise SignInError(SignInCode.ISSUER_MISMATCH, f"the token that {host} gave is another issuer's")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if program.client_id not in named or (len(named) > 1 and claims.get("azp") != program.client_id):
        raise SignInError(SignInCode.AUDIENCE_MISMATCH, f"the token that {host} gave is for another program")
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, (int, float)):
        raise SignInError(SignInCode.BAD_TOKEN, f"the token that {host} gave has no time at which it expires")
    if time.time() >= expires + LEEWAY:
        raise SignInError(SignInCode.TOKEN_EXPIRED, f"the token that {host} gave has expired; is the clock right?")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
        raise SignInError(SignInCode.NONCE_MISMATCH, f"the token that {host} gave is for another sign-in")


def _claims(token: str) -> dict[str, Any]:
    try:
        _, payload, _ = token.split(".")
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SignInError(SignInCode.BAD_TOKEN, "what the issuer gave is no ID token")
    return found


def _secure(url: str) -> str:
    """Give an address back that is https, or http on this machine; ValueError for others."""
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
        return url
    raise ValueError(f"{url[:200]!r} is not an https address")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_of(issuer: str) -> str:
    """Give an issuer's name for people."""
    return "Google" if issuer == GOOGLE else urlsplit(issuer).hostname or issuer[:200]


def plain(text: object, longest: int = 200) -> str:
    """Give text from elsewhere without what could not be seen, and not too much of it."""
    return "".join(letter for letter in str(text)[:longest] if letter.isprintable())


def _said(answer: dict[str, Any]) -> str:
    return plain(answer.get("error_description") or answer.get("error") or "it gives no reason")


def _bad(issuer: str, reason: str) -> SignInError:
    return SignInError(SignInCode.BAD_ISSUER, f"{host_of(issuer)} cannot sign in programs: {reason}")
