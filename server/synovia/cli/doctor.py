"""``synovia doctor``: what is wrong with a set-up, and what mends it; nothing is changed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from synovia.cli.aggregates import line_of
from synovia.cli.application import ApplicationError, development_file, load, server_of, without_password
from synovia.cli.environment import stored_env
from synovia.cli.open_files import BESIDE_CLIENTS
from synovia.cli.operations import ask_hub
from synovia.cli.options import JsonOption, StoreOption, without_secret
from synovia.cli.reporting import FAILED, counted, out, run_to_end, say, settings_of
from synovia.cli.security_checks import check_tls, concerns
from synovia.cli.sweeping import check_there
from synovia.config import Settings
from synovia.errors import FunctionError
from synovia.export.writing import IMPORTS
from synovia.functions.env import read_env
from synovia.functions.registry import Registry
from synovia.keys import BY_ID, prefix
from synovia.migrations.plan import plan
from synovia.migrations.rotation import IN_THE_CLEAR, sealed_counts, told_of
from synovia.sealing.keyring import BadKeys
from synovia.store import open_store
from synovia.store.base import Store, StoreError, StoreUnusable

Level = Literal["ok", "note", "wrong"]
PYTHONS = (3, 11), (3, 14)
LEAST_DISK = 1 << 30
"""Bytes below which a disk is called full; a SQLite file needs as much again while it is changed at large."""
MOST_SKEW = 60.0
"""Seconds; the clock of a MongoDB replica set moves on by itself every 10."""
_FILE = "sqlite:///"
_EXTRAS = {
    "prometheus_client": "metrics, for /metrics",
    "opentelemetry.sdk": "traces, for SYNOVIA_TRACES",
    "obstore": "s3, for files in an object store",
    "usearch": "vectors, for searches among more than 50,000 vectors",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found.

    Attributes:
        level: ``wrong`` needs somebody; a ``note`` may be meant so.
        mend: What to do about it; empty: nothing.
    """

    level: Level
    subject: str
    text: str
    mend: str = ""

    def line(self) -> str:
        """Say it to people."""
        mark = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}[self.level]
        return f"{mark}  {self.subject}: {self.text}" + (f"\n       mend: {self.mend}" if self.mend else "")


def doctor(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="The application.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what is wrong with this set-up, and say what mends it; nothing is changed. Exits with 1 if something is.

    It reads every document of the application's tables.
    """
    found = run_to_end(_collect(path, store))
    if as_json:
        out.print_json(json.dumps([asdict(each) for each in found], ensure_ascii=False))
    else:
        for each in found:
            say(each.line())
    if any(each.level == "wrong" for each in found):
        raise typer.Exit(FAILED)


async def _collect(path: Path | None, flag: str | None) -> list[Finding]:
    found = [*_machine()]
    try:
        settings = settings_of(store=without_secret(flag), scheduler={"enabled": False})
    except typer.BadParameter as error:
        return [*found, Finding("wrong", "settings", error.message, "change these variables: docs/operations.md")]
    found += _settings(settings)
    registry: Registry | None = None
    try:
        registry = None if path is None else load(path)
    except ApplicationError as error:
        found.append(Finding("wrong", "application", str(error), "mend what the message names"))
    where = settings.store or (None if path is None else f"{_FILE}{development_file(path)}")
    if registry is not None:
        found += _application(registry, settings)
        found += [each async for each in _env(registry, where, settings)]
    if where is None:
        return [*found, Finding("wrong", "store", "none is named", "--store, SYNOVIA_STORE or SYNOVIA_STORE_FILE")]
    if settings.store is None and not _is_file(where):
        return [*found, Finding("note", "store", f"{where} is not there yet", "synovia dev PATH makes it")]
    return [*found, *[each async for each in _database(where, registry, settings)]]


def _is_file(where: str) -> bool:
    return Path(where.removeprefix(_FILE)).is_file()


# --- this machine, and the settings -----------------------------------------------------------------------------------


def _machine() -> Iterator[Finding]:
    version = sys.version_info[:2]
    text = ".".join(map(str, sys.version_info[:3]))
    if PYTHONS[0] <= version <= PYTHONS[1]:
        yield Finding("ok", "python", text)
    else:
        yield Finding("note", "python", f"{text}: Synovia is tested with 3.11 to 3.14", "use one of these")
    for module, extra in _EXTRAS.items():
        if not _is_installed(module):
            name = extra.partition(",")[0]
            yield Finding(
                "note", "extras", f"not installed: {extra}", f"pip install 'synovia[{name}]', if it is wanted"
            )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def _settings(settings: Settings) -> Iterator[Finding]:
    before = True
    try:
        check_tls(settings)
    except typer.BadParameter as error:
        before = False
        yield Finding("wrong", "tls", error.message, "give the chain and its key, PEM: docs/security.md")
    for concern in concerns(settings):
        before = False
        yield Finding("note", "security", concern, "docs/security.md")
    if settings.debug:
        before = False
        yield Finding("wrong", "security", "SYNOVIA_DEBUG shows the texts of exceptions to clients", "unset it")
    if settings.trusted_proxies and settings.public_url is None:
        before = False
        text = "there is a proxy, and SYNOVIA_PUBLIC_URL does not say where people reach it: links in mail are wrong"
        yield Finding("note", "proxy", text, "set it, as https://chat.example.org")
    yield from _open_files(settings)
    for finding in _readable(settings):
        before = False
        yield finding
    if before:
        yield Finding("ok", "settings", "nothing to say")


def _readable(settings: Settings) -> Iterator[Finding]:
    """Name the files with secrets, and the database file, that everybody on this machine may read."""
    where = settings.store or ""
    files = {
        "SYNOVIA_STORE_FILE": settings.store_file,
        "SYNOVIA_TLS_KEY": settings.tls_key,
        "SYNOVIA_TLS_KEY_PASSWORD_FILE": settings.tls_key_password_file,
        "SYNOVIA_ENCRYPTION_KEYS_FILE": settings.encryption.keys_file,
        "SYNOVIA_HUBS_SECRET_FILE": settings.hubs.secret_file,
        "SYNOVIA_AUTH_SECRET_FILE": settings.auth.secret_file,
        "SYNOVIA_AUTH_SMTP_PASSWORD_FILE": settings.auth.smtp_password_file,
        "SYNOVIA_STORE": Path(where.removeprefix(_FILE)) if where.startswith(_FILE) else None,
    }
    for name, file in files.items():
        if os.name == "posix" and file is not None and file.is_file() and file.stat().st_mode & stat.S_IROTH:
            text = f"{name}: everybody on this machine may read {file}"
            yield Finding("note", "secrets", text, f"chmod o= {file}, and UMask=0077 for what makes it anew")


def _open_files(settings: Settings) -> Iterator[Finding]:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # serve raises its limit to that
    wanted = settings.limits.max_connections + BESIDE_CLIENTS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        text = f"{hard:,} may be open; {settings.limits.max_connections:,} clients may connect (MAX_CONNECTIONS)"
        yield Finding("note", "open files", text, f"ulimit -n {wanted}, or LimitNOFILE={wanted} for systemd")


def _application(registry: Registry, settings: Settings) -> Iterator[Finding]:
    try:
        server = server_of(registry, "sqlite://:memory:", settings)
    except typer.BadParameter as error:
        subject, _, text = error.message.partition(": ")
        if subject == "encryption":
            yield Finding("wrong", subject, text, "docs/encrypted-fields.md")
        else:
            yield Finding("wrong", "sign-in", error.message, "docs/security.md")
        return
    functions = sum(not path.startswith("_") for path in registry.functions)
    yield Finding("ok", "application", f"{registry.name}: {counted(functions, 'function')}")
    if server.sign_in is None:
        text = "none is configured: every token is refused"
        yield Finding("note", "sign-in", text, "SYNOVIA_AUTH_..., if people sign in: docs/security.md")
    if any(cron for cron in registry.functions.values() if cron.cron) and not Settings().scheduler.enabled:
        yield Finding("note", "scheduler", "crons are declared, and SYNOVIA_SCHEDULER_ENABLED is false", "")


async def _env(registry: Registry, where: str | None, settings: Settings) -> AsyncIterator[Finding]:
    if registry.env is None:
        return
    stored: dict[str, str] = {}
    if where is not None:
        with suppress(StoreError, FunctionError):  # what is wrong with the database is told apart
            stored = await stored_env(where, settings)
    for text in read_env(registry.env, os.environ, stored).lines():
        yield Finding("wrong", "env", text, "synovia env PATH lists what the application needs")


# --- the database -----------------------------------------------------------------------------------------------------


async def _database(where: str, registry: Registry | None, settings: Settings) -> AsyncIterator[Finding]:
    for finding in _disk(where):
        yield finding
    try:
        answered, found = await ask_hub(where, "migrate plan", {})
        if answered:
            yield Finding("ok", "store", f"{where}: a server has it, and answers")
            for finding in _planned(found):
                yield finding
            for finding in _sealed((await ask_hub(where, "encryption keys", {}))[1]):
                yield finding
            for each in (await ask_hub(where, "aggregates", {}))[1]:
                if each["wrong"]:
                    yield Finding("wrong", "aggregates", line_of(each), "synovia aggregates PATH --rebuild")
            return
        check_there(where)
        store = open_store(where, request_ttl=settings.request_ttl)
        await store.open([])
    except FunctionError as error:
        yield Finding("wrong", "store", f"the server that has it does not answer: {error.message}", "look at its log")
        return
    except StoreError as error:
        mend = "what the message says" if isinstance(error, StoreUnusable) else _mend(where)
        yield Finding("wrong", "store", f"{without_password(where)}: {error}", mend)
        return
    try:
        yield Finding("ok", "store", f"{without_password(where)} answers")
        async for finding in _contents(store, registry):
            yield finding
        with suppress(BadKeys):  # told with the application
            keyring = settings.encryption.keyring()
            if registry is not None and keyring is not None:
                for finding in _sealed(told_of(keyring, await sealed_counts(store, registry.models, keyring))):
                    yield finding
    except StoreError as error:
        yield Finding("wrong", "store", str(error), "what the message says")
    finally:
        await store.close()


_UNOPENED: Final = (
    "if it is all of them, the key is another one under the same name: give the right one; "
    "else somebody has changed or moved them: restore these documents"
)


def _sealed(found: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what does not open of encrypted fields, and what an older key has sealed."""
    newest = next(iter(found["keys"]), "")
    for each in found["fields"]:
        field, keys = f"{each['table']}.{each['field']}", each["keys"]
        examples = ", ".join(each["examples"])
        if lost := sorted(key for key in keys if key and key not in found["keys"]):
            text = f"{field}: sealed by keys that are not there: {', '.join(lost)}; as in {examples}"
            yield Finding("wrong", "encryption", text, "add these keys; without them the values are lost")
        elif each["unopened"]:
            text = f"{field}: {counted(each['unopened'], 'value')} do not open; as in {examples}"
            yield Finding("wrong", "encryption", text, _UNOPENED)
        if keys.get(IN_THE_CLEAR):
            text = f"{field}: {counted(keys[IN_THE_CLEAR], 'value')} stored in the clear"
            yield Finding("wrong", "encryption", text, "a migration seals them: docs/encrypted-fields.md")
        if older := sum(number for key, number in keys.items() if key in found["keys"] and key != newest):
            text = f"{field}: {counted(older, 'value')} sealed by older keys than {newest}"
            yield Finding("note", "encryption", text, "synovia encryption rotate PATH")


def _mend(where: str) -> str:
    if where.startswith("sqlite:"):
        return "synovia dev or serve makes a file that is not there; one that is in use serves one process"
    return "start mongod with --replSet rs0, and run rs.initiate() once; is the address right, and the user allowed?"


def _disk(where: str) -> Iterator[Finding]:
    if not where.startswith(_FILE):
        return
    file = Path(where.removeprefix(_FILE))
    if not file.parent.is_dir():
        return
    free = shutil.disk_usage(file.parent).free
    size = file.stat().st_size if file.exists() else 0
    if free < max(LEAST_DISK, size // 4):
        text = f"{free / 1e9:.1f} GB are free where the file is, which has {size / 1e9:.1f} GB"
        yield Finding("wrong", "disk", text, "make room: without it commits fail")


async def _contents(store: Store, registry: Registry | None) -> AsyncIterator[Finding]:
    ts, _ = await store.newest()
    if store.shared and abs(time.time() - (ts >> 32)) > MOST_SKEW:
        skew = time.time() - (ts >> 32)
        text = f"this machine's and the database's differ by {abs(skew):.0f} s"
        yield Finding("wrong", "clock", text, "set both by NTP (timedatectl): tokens and scheduled calls go by them")
    if IMPORTS.name in await store.tables():
        for begun in await store.snapshot(ts).scan(IMPORTS.name, BY_ID, prefix([]), limit=1):
            text = f"the import of {begun.get('file')} has not ended: the database holds a part of it"
            yield Finding("wrong", "import", text, "run the same import again")
    if registry is not None:
        for finding in _planned(await plan(store, registry)):
            yield finding


def _planned(found: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what ``migrations.plan`` has found."""
    for table in found["tables"]:
        if table["misfits"]:
            text = f"{table['name']}: {table['misfits']:,} do not fit: {_examples(table)}"
            yield Finding("wrong", "documents", text, "change them, or declare the field so that they fit; @migration")
        for text in table["equalKeys"]:
            yield Finding("wrong", "indexes", f"{table['name']}: {text}", "change one of these documents")
    for renamed in found["renamedTables"]:
        yield Finding("wrong", "tables", renamed["text"], "docs/schema-changes.md")
    if missing := [f"{each['table']}.{each['name']}" for each in found["missingIndexes"]]:
        yield Finding("note", "indexes", f"not there: {', '.join(missing)}", "a hub that starts makes them")
    if unused := [f"{each['table']}.{each['name']}" for each in found["unusedIndexes"]]:
        mend = "synovia migrate PATH --drop-unused-indexes, when no older version runs any more"
        yield Finding("note", "indexes", f"declared by no table: {', '.join(unused)}", mend)
    for migration in found["migrations"]:
        if migration["status"] == "failed":
            mend = "mend the function, and run synovia migrate PATH"
            yield Finding("wrong", "migrations", f"{migration['path']} has failed: {migration['error']}", mend)
        elif migration["status"] == "pending":
            yield Finding("note", "migrations", f"{migration['path']} has not run", "a hub that starts runs it")
    documents = sum(table["documents"] for table in found["tables"])
    yield Finding("ok", "documents", f"{counted(documents)} of {counted(len(found['tables']), 'table')} read")


def _examples(table: Mapping[str, Any]) -> str:
    some = table["examples"][:3]
    return "; ".join(f"{each['id']}: {each['field'] or 'as a whole'}: {each['reason']}" for each in some)
