"""What an operator asks of a server: done in this process, or by the server that has the store, over a socket beside it.

An embedded store belongs to one process. While a hub runs on one, commands are sent to that hub: over a Unix socket beside
the database's file, which only who may write to that folder, as the same user, can open. Each connection carries one
request and one answer, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synovia.app import Synovia
from synovia.auth.development import parse_identity
from synovia.cli.call_listing import listing_of
from synovia.cli.running import call
from synovia.errors import FunctionError
from synovia.export.errors import ExportError
from synovia.export.exporting import EXPORTS
from synovia.functions.stored_env import keep_value, stored_values
from synovia.identity import InvalidToken
from synovia.migrations.plan import drop_unused_indexes, plan, status
from synovia.seeding import run_seeds, seeding_state

LONGEST_LINE = 32 * 1024 * 1024
_LONGEST_PATH = 100
"""Bytes of a socket's path; Linux takes 107, macOS 103."""

_FILE = "sqlite:///"

Operation = Callable[[Synovia, Mapping[str, Any]], Awaitable[Any]]


async def _call(server: Synovia, given: Mapping[str, Any]) -> Any:
    caller = given.get("as")
    return await call(server, given["path"], given["args"], None if caller is None else parse_identity(caller))


async def _create_key(server: Synovia, given: Mapping[str, Any]) -> Any:
    made = await server.service_keys.create(given["name"], given["roles"])
    return {**asdict(made.key), "token": made.token}


async def _list_keys(server: Synovia, given: Mapping[str, Any]) -> Any:
    return [asdict(each) for each in await server.service_keys.list()]


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


def _exporting(operation: str) -> Operation:
    async def export(server: Synovia, given: Mapping[str, Any]) -> Any:
        try:
            return await EXPORTS[operation](server.store, given, lambda _: None)
        except ExportError as error:
            raise FunctionError("export_failed", str(error)) from error

    return export


OPERATIONS: dict[str, Operation] = {
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
    **{name: _exporting(name) for name in EXPORTS},
}


def socket_path(store: str) -> Path | None:
    """Tell where the socket of the hub that has a store is; None if the store is not an embedded one in a file."""
    file = Path(store.removeprefix(_FILE)).absolute()
    if not store.startswith(_FILE) or not file.name:
        return None
    beside = file.with_name(f".{file.name}.operator")
    if len(os.fsencode(beside)) <= _LONGEST_PATH:
        return beside
    folder = Path(tempfile.gettempdir()) / f"synovia-{os.getuid()}"
    return folder / f"{hashlib.sha256(os.fsencode(file)).hexdigest()[:16]}.operator"


@asynccontextmanager
async def answering(server: Synovia, store: str) -> AsyncIterator[None]:
    """Take operations over the socket beside the store as long as the block runs."""
    path = socket_path(store) if hasattr(asyncio, "start_unix_server") else None
    if path is None:
        yield
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)  # of a hub that was killed; the store's own lock keeps a second one away

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            asked = json.loads(await reader.readuntil(b"\n"))
            writer.write(json.dumps(await _answered(server, asked), ensure_ascii=False).encode() + b"\n")
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
        path.unlink(missing_ok=True)


async def _answered(server: Synovia, asked: Any) -> dict[str, Any]:
    try:
        return {"result": await OPERATIONS[asked["operation"]](server, asked["given"])}
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


async def ask_hub(store: str, operation: str, given: Mapping[str, Any]) -> tuple[bool, Any]:
    """Let the hub that has an embedded store do an operation, if one runs on this machine.

    Returns:
        Whether one has, and the result.

    Raises:
        FunctionError: It failed.
    """
    path = socket_path(store)
    if path is not None and path.exists():
        with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
            return True, await _sent(path, {"operation": operation, "given": given})
    return False, None


async def _sent(path: Path, request: Mapping[str, Any]) -> Any:
    reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        line = await reader.readline()
    finally:
        writer.close()
    if not line:
        raise FunctionError("server_error", "the server that has this store ended before it answered")
    answer = json.loads(line)
    if "error" in answer:
        raise FunctionError(answer["error"]["code"], answer["error"]["message"])
    return answer["result"]
