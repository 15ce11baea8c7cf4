"""The signature of Google's ID tokens, by google-auth (https://google-auth.readthedocs.io)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.auth.exceptions import GoogleAuthError
from google.auth.transport import Request, Response
from google.oauth2 import id_token

from synovia.auth.tokens import refused


def claims_of(token: str, certificates: Mapping[str, str], audience: Sequence[str], leeway: int) -> dict[str, Any]:
    """Give the claims of a token that one of some certificates has signed.

    Args:
        certificates: By the ids of their keys, in PEM.
        audience: The client ids for which it may be.
        leeway: Seconds by which Google's clock and this machine's may differ.

    Raises:
        InvalidToken: It is not accepted.
    """
    try:
        return dict(id_token.verify_token(token, _Kept(certificates), list(audience), clock_skew_in_seconds=leeway))
    except (GoogleAuthError, ValueError, TypeError) as error:
        raise refused(f"google-auth: {type(error).__name__}") from None


class _Kept(Request):
    """Certificates that are here already, fetched as google-auth fetches them."""

    def __init__(self, certificates: Mapping[str, str]) -> None:
        self._certificates = certificates

    def __call__(self, url: str, method: str = "GET", *_: Any, **__: Any) -> _Answer:
        return _Answer(json.dumps(dict(self._certificates)).encode())


class _Answer(Response):
    def __init__(self, body: bytes) -> None:
        self._body = body

    @property
    def status(self) -> int:
        return 200

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    @property
    def data(self) -> bytes:
        return self._body
