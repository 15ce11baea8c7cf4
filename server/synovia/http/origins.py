"""Which pages of browsers are let in: the server's own, and those that the operator names."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import NoDecode
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from synovia.hosts import is_loopback
from synovia.limits.refusal import Refusal
from synovia_protocol.errors import ErrorCode

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_DESKTOP_SCHEMES = frozenset({"tauri", "app"})
"""Of the pages that desktop programs carry along: ``tauri://localhost`` in Tauri, ``app://NAME`` by custom in Electron."""
_WITHOUT_ORIGIN = frozenset({"null", "file://"})
"""What pages send that have none: those opened from a file, as Electron's often are; ``null`` is sent by others too."""
_LOOPBACK_ORIGIN = r"https?://(localhost|([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"


def origin(text: str) -> str:
    """Bring an origin into the form that browsers send.

    Raises:
        ValueError: It is not scheme, host and port, and nothing else; a desktop program's has no port.
    """
    if text.strip().lower() in _WITHOUT_ORIGIN:
        return text.strip().lower()
    parts = urlsplit(text.strip().lower())
    host = parts.hostname
    odd = parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment or "*" in parts.netloc
    known = parts.scheme in ("http", "https") or (parts.scheme in _DESKTOP_SCHEMES and parts.port is None)
    if not known or not host or odd:
        raise ValueError(f"{text!r} is not an origin, as https://app.example.org")
    return _join(parts.scheme, host, parts.port)


def _join(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port in (None, _PORTS.get(scheme)) else f":{port}")


def own_origin(scope: Scope) -> str | None:
    """Tell which origin pages of this server itself have, by the Host header; None if that says nothing sensible."""
    host = Headers(scope=scope).get("host", "")
    scheme = scope["scheme"].replace("ws", "http")
    try:
        parts = urlsplit(f"//{host.lower()}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    return None if name is None or parts.username is not None else _join(scheme, name, port)


def is_loopback_host(host: str) -> bool:
    """Tell whether a Host header names this machine and nothing that a name server could point at it."""
    try:
        parts = urlsplit(f"//{host.lower()}")
        name = parts.hostname if parts.username is None else None
    except ValueError:
        return False
    return name is not None and (name.endswith(".localhost") or is_loopback(name))


def _read(value: Any) -> Any:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(origin(part) for part in parts if part.strip())


OriginList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_read)]
"""Origins, as a setting: with commas between them."""


class Origins:
    """An ASGI application that refuses foreign pages with 403, for a WebSocket before it is one.

    Programs send no Origin header and are let through: nobody can make them send somebody else's credentials.

    Args:
        app: What it stands before.
        allowed: Further origins, in the form that ``origin`` gives.
        loopback: For development: pages of every port of this machine are let in, and requests have to name this machine
            as their host, or any page could reach the server under a name of its own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] = (), *, loopback: bool = False) -> None:
        self._app = app
        self._allowed = frozenset(allowed)
        self._loopback = loopback
        self._shared = CORSMiddleware(
            app,
            allow_origins=sorted(self._allowed),
            allow_origin_regex=_LOOPBACK_ORIGIN if loopback else None,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Convex-Client",
                "Idempotency-Key",
                "Range",
                "Synovia-After",
                "Upload-Offset",
            ],
            expose_headers=[
                "Accept-Ranges",
                "Content-Disposition",
                "Content-Range",
                "ETag",
                "Retry-After",
                "Synovia-Ts",
                "Upload-Length",
                "Upload-Offset",
            ],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
        elif scope["type"] == "http" and not self._is_own(scope):
            await self._shared(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        return Headers(scope=scope).get("origin") == own_origin(scope)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if self._loopback and not is_loopback_host(headers.get("host", "")):
            return Refusal(
                403, ErrorCode.HOST_REFUSED, "in development this server answers only to names of this machine"
            )
        sent = headers.getlist("origin")
        if not sent or (len(sent) == 1 and self._lets_in(sent[0], scope)):
            return None
        return Refusal(403, ErrorCode.ORIGIN_REFUSED, "pages of this origin are not let in")

    def _lets_in(self, sent: str, scope: Scope) -> bool:
        if sent in self._allowed or sent == own_origin(scope):
            return True
        return self._loopback and re.fullmatch(_LOOPBACK_ORIGIN, sent) is not None
