"""Signed tokens (JWS in compact form, RFC 7515 and 7519): their shape before, their claims after the signature is checked.

The signature itself is left to google-auth and python-jose. What is read here is stricter than what they read: base64url in
its one canonical form, JSON objects without doubled names, times that are numbers.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from synovia.identity import InvalidToken

Clock = Callable[[], float]
"""Tells the time in seconds since 1970 (UTC)."""

LONGEST = 8192
"""Characters of a token; longer ones are not looked at."""
REFUSAL = "the token is not accepted"
"""All that a client is told, whatever is wrong: the rest would help only an attacker."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SUBJECT = 255


def refused(reason: str) -> InvalidToken:
    """Make the error of a token that is not accepted; ``reason`` is for the log and quotes nothing from the token."""
    return InvalidToken(REFUSAL, reason)


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself: good only for choosing who verifies it, and with which key; ``key_id`` may be empty."""

    algorithm: str
    key_id: str
    issuer: str
    claims: dict[str, Any]


def read(token: str) -> Unverified:
    """Read a token without believing it.

    Raises:
        InvalidToken: It is not a signed token in its canonical form.
    """
    if len(token) > LONGEST:
        raise refused("too long")
    segments = token.split(".")
    if len(segments) != 3:
        raise refused("not three segments")
    header, claims = _json_object(_decoded(segments[0])), _json_object(_decoded(segments[1]))
    _decoded(segments[2])
    if "crit" in header:
        raise refused("extensions that must be understood")
    key_id = _text(header, "kid") if "kid" in header else ""
    return Unverified(_text(header, "alg"), key_id, _text(claims, "iss"), claims)


def _decoded(segment: str) -> bytes:
    """Decode base64url, and only what an encoder gives: two spellings of one token would be two tokens."""
    if _SEGMENT.fullmatch(segment) is None:
        raise refused("not base64url")
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error:
        raise refused("not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=") != segment.encode():
        raise refused("not canonical base64url")
    return data


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise refused("not JSON") from None
    if not isinstance(value, dict):
        raise refused("not a JSON object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise refused(f"{name} is missing")
    return value


# --- claims, the signature being good -----------------------------------------------------------------------------------


def check_times(claims: dict[str, Any], now: float, leeway: float) -> float:
    """Check exp, iat and nbf; give when the token expires.

    Args:
        now: Seconds since 1970.
        leeway: Seconds by which the issuer's clock and ours may differ.
    """
    expires_at = _time(claims, "exp")
    if now >= expires_at + leeway:
        raise refused("expired")
    if _time(claims, "iat") > now + leeway:
        raise refused("issued in the future")
    if "nbf" in claims and _time(claims, "nbf") > now + leeway:
        raise refused("not valid yet")
    return expires_at


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise refused(f"{name} is not a time")
    return float(value)


def check_audience(claims: dict[str, Any], allowed: Collection[str]) -> None:
    """Check that the token was made for one of us."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and each in allowed for each in named):
        raise refused("for another audience")


def subject_of(claims: dict[str, Any]) -> str:
    """Give the subject."""
    subject = _text(claims, "sub")
    if len(subject) > _LONGEST_SUBJECT:
        raise refused("sub is too long")
    return subject


def optional_text(claims: dict[str, Any], name: str, longest: int = 2048) -> str | None:
    """Give a claim that is a text of reasonable length; None if it is not."""
    value = claims.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= longest else None
