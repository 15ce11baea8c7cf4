"""What an operator asks of a server: done in this process, or by the server that has the store, over a socket beside it.

An embedded store belongs to one process. While a hub runs on one, commands are sent to that hub: over a Unix socket beside
the database's file, which only who may write to that folder, as the same user, can open. Each connection carries one
request and one answer, a line of JSON each; of what takes long, lines that say how far it is come before the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pydantic.alias_generators import to_camel

from synovia.app import Synovia
from synovia.auth.development import parse_identity
from synovia.auth.service_keys import ServiceKey
from synovia.cli.call_listing import listing_of
from synovia.cli.running import call
from synovia.errors import FunctionError
from synovia.export.errors import ExportError
from synovia.export.exporting import EXPORTS
from synovia.export.table_importing import import_table
from synovia.export.writing import Progress, Told
from synovia.functions.stored_env import keep_value, stored_values
from synovia.identity import InvalidToken
from synovia.migrations.aggregate_check import check_aggregates
from synovia.migrations.plan import drop_unused_indexes, plan, status
from synovia.migrations.rotation import sealed_counts, told_of
from synovia.seeding import run_seeds, seeding_state
from synovia.store.base import StoreError
from synovia_protocol.errors import ErrorCode

logger = logging.getLogger("synovia")

EXPORT_FAILED: Final = "export_failed"
LONGEST_LINE = 32 * 1024 * 1024
_LONGEST_PATH = 100
"""Bytes of a socket's path; Linux takes 107, macOS 103."""

_FILE = "sqlite:///"

Operation = Callable[[Synovia, Mapping[str, Any]], Awaitable[Any]]
LongOperation = Callable[[Synovia, Mapping[str, Any], Told], Awaitable[Any]]
_TOLD_EACH: Final = 0.2
"""Seconds between two lines that say how far an operation is."""


async def _call(server: Synovia, given: Mapping[str, Any]) -> Any:
    caller = given.get("as")
    return await call(server, given["path"], given["args"], None if caller is None else parse_identity(caller))


async def _create_key(server: Synovia, given: Mapping[str, Any]) -> Any:
    made = await server.service_keys.create(given["name"], given["roles"])
    return {**_camel(made.key), "token": made.token}


async def _list_keys(server: Synovia, given: Mapping[str, Any]) -> Any:
    return [_camel(each) for each in await server.service_keys.list()]


def _camel(key: ServiceKey) -> dict[str, Any]:
    return {to_camel(name): value for name, value in asdict(key).items()}


async def _revoke_key(server: Synovia, given: Mapping[str, Any]) -> Any:
    return await server.service_keys.revoke(given["id"])


async def _migrate(server: Synovia, given: Mapping[str, Any]) -> Any:
    await server.schema.migrations.run()
    return await status(server.store, server.registry)


async def _migration_status(server: Synovia, given: Mapping[str, Any]) -> Any:
    return await status(server.store, server.registry)


async def _migration_plan(server: Synovia, given: Mapping[str, Any]) -> Any:
    return await plan(server.store, server.registry)


async def _drop_unused_indexes(server: Synovia, given: Mapping[str, Any]) -> Any:
    return await drop_unused_indexes(server.store, server.registry)


async def _seed_status(server: Synovia, given: Mapping[str, Any]) -> Any:
    return asdict(await seeding_state(server.store, server.registry))


async def _seed(server: Synovia, given: Mapping[str, Any]) -> Any:
    return await run_seeds(server.engine, server.registry, only=given["only"], again=given["again"])


async def _stored_env(server: Synovia, given: Mapping[str, Any]) -> Any:
    return await stored_values(server.store)


async def _keep_env(server: Synovia, given: Mapping[str, Any]) -> Any:
    return {name: await keep_value(server.store, name, value) for name, value in given.items()}


async def _calls(server: Synovia, given: Mapping[str, Any]) -> Any:
    return asdict(await listing_of(server.store, given))


def _exporting(operation: str) -> LongOperation:
    async def export(server: Synovia, given: Mapping[str, Any], told: Told) -> Any:
        return await EXPORTS[operation](server.store, given, told)

    return export


async def _import_table(server: Synovia, given: Mapping[str, Any], told: Told) -> Any:
    return await import_table(server.store, server.registry, given, told, server.keyring)


async def _aggregates(server: Synovia, given: Mapping[str, Any]) -> Any:
    return [asdict(each) async for each in check_aggregates(server.store, server.registry)]


async def _aggregates_rebuild(server: Synovia, given: Mapping[str, Any]) -> Any:
    await server.aggregates.rebuild()
    return await _aggregates(server, given)


async def _encryption_keys(server: Synovia, given: Mapping[str, Any]) -> Any:
    keyring = server.keyring
    if keyring is None:
        return {"keys": [], "search": False, "fields": []}
    return told_of(keyring, await sealed_counts(server.store, server.registry.models, keyring))


async def _encryption_rotate(server: Synovia, given: Mapping[str, Any]) -> Any:
    await server.schema.migrations.seal_anew()
    return await _encryption_keys(server, given)


OPERATIONS: dict[str, Operation] = {
    "aggregates": _aggregates,
    "aggregates rebuild": _aggregates_rebuild,
    "encryption keys": _encryption_keys,
    "encryption rotate": _encryption_rotate,
    "call": _call,
    "key create": _create_key,
    "key list": _list_keys,
    "key revoke": _revoke_key,
    "calls": _calls,
    "seed": _seed,
    "seed status": _seed_status,
    "env": _stored_env,
    "env keep": _keep_env,
    "migrate": _migrate,
    "migrate status": _migration_status,
    "migrate plan": _migration_plan,
    "migrate drop": _drop_unused_indexes,
}
LONG_OPERATIONS: dict[str, LongOperation] = {
    **{name: _exporting(name) for name in EXPORTS},
    "import table": _import_table,
}
"""Those that say how far they are."""


def socket_path(store: str) -> Path | None:
    """Tell where the socket of the hub that has a store is; None if the store is not an embedded one in a file."""
    file = Path(store.removeprefix(_FILE)).absolute()
    if not store.startswith(_FILE) or not file.name:
        return None
    beside = file.with_name(f".{file.name}.operator")
    if len(os.fsencode(beside)) <= _LONGEST_PATH:
        return beside
    return _short_folder() / f"{hashlib.sha256(os.fsencode(file)).hexdigest()[:16]}.operator"


def _short_folder() -> Path:
    """Tell where the sockets of databases with long paths are: where everybody may make folders."""
    return Path(tempfile.gettempdir()) / f"synovia-{os.getuid()}"


def _is_safe(folder: Path) -> bool:
    """Tell whether nobody else has made that folder, who would be told what operators ask, and answer it."""
    if folder != _short_folder():
        return True
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


@asynccontextmanager
async def answering(server: Synovia, store: str) -> AsyncIterator[None]:
    """Take operations over the socket beside the store as long as the block runs."""
    path = socket_path(store) if hasattr(asyncio, "start_unix_server") else None
    if path is None:
        yield
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not _is_safe(path.parent):
        logger.warning("commands cannot reach this hub: %s is somebody else's, or others may look into it", path.parent)
        yield
        return
    path.unlink(missing_ok=True)  # of a hub that was killed; the store's own lock keeps a second one away

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            asked = json.loads(await reader.readuntil(b"\n"))
            answer = await _answered(server, asked, _Teller(writer))
            writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        writer.close()

    mask = os.umask(0o177)
    try:
        listener = await asyncio.start_unix_server(answer, path, limit=LONGEST_LINE)
    finally:
        os.umask(mask)
    try:
        yield
    finally:
        listener.close()
        with contextlib.suppress(OSError):  # the disk may be read-only by now; the next hub takes it away
            path.unlink(missing_ok=True)


class _Teller:
    """Writes how far an operation is, now and then."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now >= self._next and not self._writer.is_closing():
            self._next = now + _TOLD_EACH
            self._writer.write(json.dumps({"progress": asdict(progress)}).encode() + b"\n")


async def _answered(server: Synovia, asked: Any, told: Told) -> dict[str, Any]:
    try:
        operation, given = asked["operation"], asked["given"]
        if operation in LONG_OPERATIONS:
            return {"result": await LONG_OPERATIONS[operation](server, given, told)}
        return {"result": await OPERATIONS[operation](server, given)}
    except ExportError as error:
        return {"error": {"code": EXPORT_FAILED, "message": str(error)}}
    except StoreError as error:
        return {"error": {"code": ErrorCode.OVERLOADED, "message": f"the store: {error}"}}
    except FunctionError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except InvalidToken as error:
        return {"error": {"code": "invalid_token", "message": str(error)}}
    except (KeyError, TypeError) as error:
        return {"error": {"code": "bad_message", "message": f"not an operation of this server: {error}"}}


async def operate(make: Callable[[], Synovia], store: str, operation: str, given: Mapping[str, Any]) -> Any:
    """Do an operation: by the hub that has the store, if one runs on this machine, else in this process.

    Args:
        make: Makes a server for this process.

    Raises:
        FunctionError: It failed.
        InvalidToken: Nobody can be called like that.
        StoreError: The database is not there.
    """
    answered, result = await ask_hub(store, operation, given)
    if answered:
        return result
    server = make()
    await server.start(alone=False)
    try:
        return await OPERATIONS[operation](server, given)
    finally:
        await server.stop()


async def ask_hub(
    store: str, operation: str, given: Mapping[str, Any], told: Told = lambda _: None
) -> tuple[bool, Any]:
    """Let the hub that has an embedded store do an operation, if one runs on this machine.

    Args:
        told: Called now and then, of operations that take long.

    Returns:
        Whether one has, and the result.

    Raises:
        FunctionError: It failed.
        ExportError: It failed, and was an export or an import.
    """
    path = socket_path(store)
    if path is not None and path.exists() and _is_safe(path.parent):
        with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
            return True, await _sent(path, {"operation": operation, "given": given}, told)
    return False, None


async def _sent(path: Path, request: Mapping[str, Any], told: Told) -> Any:
    reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        while "progress" in (answer := await _line(reader)):
            told(Progress(**answer["progress"]))
    finally:
        writer.close()
    if "error" in answer:
        if answer["error"]["code"] == EXPORT_FAILED:
            raise ExportError(answer["error"]["message"])
        raise FunctionError(answer["error"]["code"], answer["error"]["message"])
    return answer["result"]


async def _line(reader: asyncio.StreamReader) -> dict[str, Any]:
    if not (line := await reader.readline()):
        raise FunctionError("server_error", "the server that has this store ended before it answered")
    found: dict[str, Any] = json.loads(line)
    return found
