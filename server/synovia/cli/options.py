"""Options that several commands take, and settings handed on to other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from synovia.cli.application import development_store
from synovia.config import Settings

_STORE_HELP = "mongodb://..., sqlite:///FILE or sqlite://:memory: (SYNOVIA_STORE)."
PathArgument = Annotated[
    Path, typer.Argument(metavar="PATH", help="The application: a folder of modules, or one file.")
]
StoreOption = Annotated[str | None, typer.Option("--store", help=_STORE_HELP)]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
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


def store_of(store: str | None, settings: Settings, path: Path | None) -> str:
    """Say which database is meant: the flag's, else the variable's, else that of an application in development.

    Raises:
        BadParameter: Nothing says it.
    """
    where = without_secret(store) or settings.store or (development_store(path) if path is not None else None)
    if where is None:
        raise typer.BadParameter("say which database: --store, SYNOVIA_STORE, or the PATH of an application")
    return where


def environment(settings: Settings, store: str, port: int) -> dict[str, str]:
    """Give the variables that hand settings on to another process of this server, secrets included."""
    found = {"SYNOVIA_STORE": store, "SYNOVIA_HOST": settings.host, "SYNOVIA_LOG_LEVEL": settings.log_level}
    found["SYNOVIA_PORT"] = str(port)
    found["SYNOVIA_LOG_FORMAT"] = settings.log_format
    found["SYNOVIA_ORIGINS"] = ",".join(settings.origins)
    found["SYNOVIA_TRUSTED_PROXIES"] = ",".join(map(str, settings.trusted_proxies))
    files = {"SYNOVIA_TLS_CERT": settings.tls_cert, "SYNOVIA_TLS_KEY": settings.tls_key}
    return found | {name: str(file) for name, file in files.items() if file is not None}
