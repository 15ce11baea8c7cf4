"""The address of a hub."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

SYNC_PATH = "/sync"
SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


def socket_url(url: str) -> str:
    """Give the WebSocket address of the hub at an address: ``/sync`` below its path, ``ws`` for ``http``.

    ``ws://host`` is ``ws://host/sync``, ``https://host/api`` is ``wss://host/api/sync``; a path that ends with ``/sync`` is
    the socket's own.

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
    path = parts.path.rstrip("/").removesuffix(SYNC_PATH) + SYNC_PATH
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))


def beside_socket(url: str, path: str) -> str:
    """Give the address of something else at the hub of a socket: ``path`` as in ``/auth/sign-out``."""
    parts = urlsplit(url)
    base = parts.path.removesuffix(SYNC_PATH)
    return urlunsplit((parts.scheme.replace("ws", "http"), parts.netloc, base + path, "", ""))
