"""Signatures, checked and made by python-jose."""

from __future__ import annotations

from typing import Any

from jose import jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from synovia.auth.tokens import refused


def check_signature(token: str, key: Key, algorithm: str) -> None:
    """Check a signature by python-jose, with one key and one algorithm, neither chosen by the token."""
    try:
        jws.verify(token, key, [algorithm])
    except (JOSEError, ValueError, TypeError) as error:
        raise refused(f"python-jose: {type(error).__name__}") from None


def sign(claims: dict[str, Any], key: Key, key_id: str, algorithm: str) -> str:
    """Make a token."""
    signed: str = jws.sign(claims, key, {"kid": key_id}, algorithm)
    return signed
