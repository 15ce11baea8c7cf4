"""Load an application for the command line, with errors that say what to mend and where."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import typer

from synovia.app import Synovia
from synovia.config import Settings
from synovia.errors import SchemaError
from synovia.functions.hints import hint_for
from synovia.functions.registry import Registry, load_application
from synovia.hosts import is_loopback
from synovia.schema.encrypted import sealed_fields
from synovia.sealing.keyring import BadKeys, new_entry
from synovia.sealing.settings import EncryptionSettings


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
        text = str(error)
        raise ApplicationError(text if text.startswith(f"{path}:") else f"{path}: {text}") from error
    except (Exception, SystemExit) as error:
        raise ApplicationError(f"{path} cannot be imported\n{_place(error, path)}") from error


def _place(error: BaseException, path: Path) -> str:
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {kind}: {error.msg}"
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)] or list(frames)
    return f"{own[-1].filename}, line {own[-1].lineno}: {kind}: {_words(error)}"


def _words(error: BaseException) -> str:
    """Say what is wrong, and what to write instead where that is known; of pydantic's errors without its advice."""
    text = str(error)
    if type(error).__module__.partition(".")[0] == "pydantic":
        text = text.partition("\n\n")[0].partition(". Set `arbitrary")[0]
    hint = hint_for(error) if isinstance(error, Exception) else None
    return text if hint is None else f"{text}; {hint}"


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


def with_development_keys(registry: Registry, store: str, settings: Settings) -> Settings:
    """Give the settings, with keys where an application with encrypted fields has none and its own development store.

    The keys lie beside that store (``.synovia/dev.keys``), readable by whoever made it, and are made with it: what
    somebody tries out needs no setting up, and nothing of it is for others. Any other store needs keys that are kept apart.

    Raises:
        OSError: They cannot be written.
    """
    file = Path(store.removeprefix("sqlite:///"))
    own = file.name == "dev.db" and file.parent.name == ".synovia"
    if settings.encryption != EncryptionSettings() or not own or not any(map(sealed_fields, registry.models.values())):
        return settings
    keys = file.with_name("dev.keys")
    if not keys.exists():
        descriptor = os.open(keys, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(f"{new_entry('development')}\n{new_entry('search')}\n")
    return settings.model_copy(update={"encryption": EncryptionSettings(keys_file=keys)})


def server_of(registry: Registry, store: str, settings: Settings, *, development: bool = False) -> Synovia:
    """Make the server of an application.

    Raises:
        BadParameter: The settings cannot work.
    """
    try:
        settings = with_development_keys(registry, store, settings)
        return Synovia(registry, store=store, settings=settings, development=development)
    except SchemaError as error:
        raise typer.BadParameter(str(error)) from None
    except BadKeys as error:
        raise typer.BadParameter(f"encryption: {error}") from None
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"sign-in: {error}") from None
