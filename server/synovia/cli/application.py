"""Load an application for the command line, with errors that say what to mend and where."""

from __future__ import annotations

import traceback
from pathlib import Path
from urllib.parse import urlsplit

import typer

from synovia.app import Synovia
from synovia.config import Settings
from synovia.errors import SchemaError
from synovia.functions.registry import Registry, load_application
from synovia.hosts import is_loopback
from synovia.sealing.keyring import BadKeys


class ApplicationError(Exception):
    """The application is not there, or cannot be imported; the message says where it fails."""


def check_path(path: Path) -> None:
    """Raise ApplicationError if nothing is there."""
    if not path.exists():
        raise ApplicationError(f"there is no application at {path}")


def load(path: Path) -> Registry:
    """Import an application.

    Raises:
        ApplicationError: It is not there, or fails; the message names the file and the line.
    """
    check_path(path)
    try:
        return load_application(path)
    except SchemaError as error:
        raise ApplicationError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise ApplicationError(f"{path} cannot be imported\n{_place(error, path)}") from error


def _place(error: BaseException, path: Path) -> str:
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {kind}: {error.msg}"
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)] or list(frames)
    return f"{own[-1].filename}, line {own[-1].lineno}: {kind}: {error}"


def development_store(path: Path) -> str:
    """Give the address of the embedded store that belongs to an application, and make its folder."""
    file = development_file(path)
    file.parent.mkdir(exist_ok=True)
    return f"sqlite:///{file}"


def development_file(path: Path) -> Path:
    """Tell where that store is, if it has been made."""
    home = path.resolve() if path.is_dir() else path.resolve().parent
    return home / ".synovia" / "dev.db"


def is_local(store: str) -> bool:
    """Tell whether a store is embedded or on this machine."""
    address = urlsplit(store)
    if address.scheme == "sqlite":
        return True
    hosts = address.netloc.rpartition("@")[2].split(",")
    return address.scheme == "mongodb" and all(is_loopback(urlsplit(f"//{host}").hostname or "") for host in hosts)


def without_password(store: str) -> str:
    """Give a store's address as it may be shown."""
    address = urlsplit(store)
    credentials, at, hosts = address.netloc.rpartition("@")
    if not at:
        return store
    return address._replace(netloc=f"{credentials.partition(':')[0]}:***@{hosts}").geturl()


def server_of(registry: Registry, store: str, settings: Settings, *, development: bool = False) -> Synovia:
    """Make the server of an application.

    Raises:
        BadParameter: The settings cannot work.
    """
    try:
        return Synovia(registry, store=store, settings=settings, development=development)
    except SchemaError as error:
        raise typer.BadParameter(str(error)) from None
    except BadKeys as error:
        raise typer.BadParameter(f"encryption: {error}") from None
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"sign-in: {error}") from None
