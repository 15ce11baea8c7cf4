"""The address of a hub."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

SYNC_PATH = "/sync"
SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


def socket_url(url: str) -> str:
    """Give the WebSocket address for what a user wrote: ``ws://host:port`` gets the path ``/sync``, ``http`` becomes ``ws``.

    ValueError for another scheme, a missing host, a fragment, or a user name and password, which do not belong in an
    address (they end up in logs): sign in with a token.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(f"not an address of a hub: {url!r} (write ws://HOST:PORT or wss://HOST)")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must not carry a user name or a password; pass token= instead")
    if parts.fragment:
        raise ValueError(f"an address must not carry a fragment: {url!r}")
    _ = parts.port  # raises ValueError when it is not a port
    path = parts.path if parts.path not in ("", "/") else SYNC_PATH
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))
