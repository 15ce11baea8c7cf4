"""A PostgreSQL of the system, run for the occasion."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.peers.installed import NotInstalled, output

_POSTGRES = "/usr/lib/postgresql"
_USER = "postgres"


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """Run a PostgreSQL of its own, durable, on a socket; give the folder of that."""
    programs = next(_postgres_programs(), None)
    if programs is None:
        raise NotInstalled("node + PostgreSQL: no PostgreSQL (apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="synovia-postgres-") as folder:
        as_user = _other_user(folder)
        data = f"{folder}/data"
        await output(*as_user, f"{programs}/initdb", "-D", data, "-U", "bench", "-A", "trust", "--no-sync")
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
            await output(*as_user, f"{programs}/pg_ctl", "stop", "-D", data, "-m", "fast")
            await process.wait()


def _listens(folder: str) -> bool:
    return Path(folder, ".s.PGSQL.5432").exists()


def _postgres_programs() -> Iterator[Path]:
    for version in sorted(Path(_POSTGRES).glob("*/bin"), reverse=True):
        if (version / "postgres").exists():
            yield version
    if (found := shutil.which("postgres")) is not None:
        yield Path(found).parent


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
