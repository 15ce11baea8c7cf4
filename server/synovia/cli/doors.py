"""Who may come to a server, and how safely: what the command line has to say about it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import typer

from synovia.config import Settings
from synovia.hosts import is_loopback

OriginOption = Annotated[
    list[str] | None,
    typer.Option("--origin", help="The origin of a page that may call this server; again for more (SYNOVIA_ORIGINS)."),
]
ProxiesOption = Annotated[
    str | None,
    typer.Option("--trusted-proxies", help="Addresses and networks of proxies, with commas (SYNOVIA_TRUSTED_PROXIES)."),
]
CertOption = Annotated[
    str | None, typer.Option("--tls-cert", metavar="FILE", help="The certificate chain, PEM (SYNOVIA_TLS_CERT).")
]
KeyOption = Annotated[
    str | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM (SYNOVIA_TLS_KEY).")
]


def joined(origins: list[str] | None) -> str | None:
    """Make one setting of a flag that may be given several times; None if it is not given."""
    return ",".join(origins) if origins else None


def without_secret(store: str | None) -> str | None:
    """Give back the address of a store that came by a flag.

    Raises:
        BadParameter: It holds a password: everybody on the machine may read a command line.
    """
    if store is not None and urlsplit(store).password is not None:
        raise typer.BadParameter(
            "a password does not belong on a command line: use SYNOVIA_STORE or SYNOVIA_STORE_FILE"
        )
    return store


def environment(settings: Settings, store: str, port: int) -> dict[str, str]:
    """Give the variables that hand settings on to another process of this server, secrets included."""
    found = {"SYNOVIA_STORE": store, "SYNOVIA_HOST": settings.host, "SYNOVIA_LOG_LEVEL": settings.log_level}
    found["SYNOVIA_PORT"] = str(port)
    found["SYNOVIA_ORIGINS"] = ",".join(settings.origins)
    found["SYNOVIA_TRUSTED_PROXIES"] = ",".join(map(str, settings.trusted_proxies))
    files = {"SYNOVIA_TLS_CERT": settings.tls_cert, "SYNOVIA_TLS_KEY": settings.tls_key}
    return found | {name: str(file) for name, file in files.items() if file is not None}


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
        raise typer.BadParameter(f"TLS: {settings.tls_cert}: {error}") from None


def concerns(settings: Settings) -> Iterator[str]:
    """Tell what an operator should know before others come."""
    if is_loopback(settings.host) or settings.tls_cert is not None or settings.trusted_proxies:
        return
    yield (
        f"{settings.host} can be reached from other machines and neither --tls-cert nor --trusted-proxies is given: "
        "tokens and data travel readably, and behind a proxy everybody shares the limits of one address"
    )
