"""Whom a request comes from when there are proxies in between: only trusted ones are believed, from the nearest on."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
PREFIX = "synovia.prefix"
"""Where a scope keeps what a trusted proxy said in ``X-Forwarded-Prefix``."""
_MAPPED_BITS = 96
"""Of ``::ffff:0:0/96``, in which IPv6 has the addresses of IPv4."""
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]{1,100}){1,10}/?")
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks with commas between them, as ``10.0.0.0/8, ::1``.

    Raises:
        ValueError: One is neither.
    """
    return tuple(
        _unmapped(ipaddress.ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip()
    )


def _unmapped(network: Network) -> Network:
    """Give an IPv4 network that is written as IPv6, ``::ffff:10.0.0.0/104``, as what it is; addresses are, too."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - _MAPPED_BITS))


NetworkList = Annotated[
    tuple[Network, ...],
    NoDecode,
    BeforeValidator(lambda value: networks(value) if isinstance(value, str) else value),
    AfterValidator(lambda given: tuple(map(_unmapped, given))),
]
"""Networks, as a setting: with commas between them."""


def address_of(text: str) -> Address | None:
    """Read an address as it stands in ``X-Forwarded-For``: bare, with a port, or in brackets; None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


class TrustedProxies:
    """An ASGI application that makes ``client``, ``scheme`` and ``host`` those that the nearest untrusted peer used.

    ``X-Forwarded-For`` is read from the right, as each proxy adds what it sees at its end; the first address that is not a
    trusted proxy is the client. Headers that came from anybody else are dropped, so that nothing behind this is misled.

    Args:
        app: What it stands before.
        trusted: The proxies.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network] = ()) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] in ("http", "websocket"):
            scope = self._seen_through(scope)
        await self._app(scope, receive, send)

    def trusts(self, host: str) -> bool:
        """Tell whether a peer is a trusted proxy."""
        address = address_of(host) if self._trusted else None
        return address is not None and any(address in network for network in self._trusted)

    def _seen_through(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        peer = scope.get("client")
        if peer is None or not self.trusts(peer[0]):
            return {**scope, "headers": _without_forwarding(scope["headers"])}
        forwarded = [part for line in headers.getlist("x-forwarded-for") for part in line.split(",")]
        found = {**scope, "client": (self._client(forwarded, peer[0]), 0)}
        scheme = _last(headers, "x-forwarded-proto")
        if scheme in _SCHEMES:
            found["scheme"] = (
                _SCHEMES[scheme] if scope["type"] == "websocket" else _SCHEMES[scheme].replace("ws", "http")
            )
        prefix = _last(headers, "x-forwarded-prefix", lower=False)
        if _PREFIX.fullmatch(prefix):
            found[PREFIX] = prefix.rstrip("/")
        host = _last(headers, "x-forwarded-host")
        if host:
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            found["headers"] = [*kept, (b"host", host.encode("latin-1"))]
        return found

    def _client(self, forwarded: list[str], peer: str) -> str:
        nearest = peer
        for text in reversed(forwarded):
            address = address_of(text)
            if address is None:
                break  # not an address: nothing further out can be believed
            nearest = str(address)
            if not any(address in network for network in self._trusted):
                break
        return nearest


def _without_forwarding(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [header for header in headers if not header[0].startswith(b"x-forwarded-") and header[0] != b"forwarded"]


def _last(headers: Headers, name: str, *, lower: bool = True) -> str:
    lines = headers.getlist(name)
    text = lines[-1].rpartition(",")[2].strip() if lines else ""
    return text.lower() if lower else text


def prefix_of(scope: Scope) -> str:
    """Tell below which path a request came, as its sender knows it: a mount's, or one that a trusted proxy has stripped.

    Without a slash at its end; empty for none.
    """
    return f"{scope.get(PREFIX, '')}{scope.get('root_path', '').rstrip('/')}"
