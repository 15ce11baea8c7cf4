"""What the command line has to say about how safely others can reach a server."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import typer

from synovia.config import Settings
from synovia.hosts import is_loopback


def check_tls(settings: Settings) -> None:
    """Try the certificate and its key, before anything is started.

    Raises:
        BadParameter: They cannot be read, or do not belong together.
    """
    if settings.tls_cert is None:
        return
    try:
        password = settings.tls_password()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password or "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        key = "" if settings.tls_key is None else f", or its key {settings.tls_key} or the password of that"
        raise typer.BadParameter(f"TLS: the certificate {settings.tls_cert}{key} cannot be used: {error}") from None


def concerns(settings: Settings) -> Iterator[str]:
    """Tell what an operator should know before others come."""
    if "null" in settings.origins:
        yield "the origin 'null' is let in: every web site can make a page that sends it; see docs/security.md"
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield (
            "every address is trusted as a proxy: whoever asks says in X-Forwarded-For where they come from, "
            "and so which limits they share; name the proxies alone"
        )
    if is_loopback(settings.host) or settings.tls_cert is not None or settings.trusted_proxies:
        return
    yield (
        f"{settings.host} can be reached from other machines and neither --tls-cert nor --trusted-proxies is given: "
        "tokens and data travel readably, and behind a proxy everybody shares the limits of one address"
    )
