"""The peers of ``transfer``: node on ``node:sqlite`` and on PostgreSQL, and Python by hand on ``sqlite3`` and on PyMongo."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.databases import database
from benchmarks.peers.by_hand import by_hand
from benchmarks.peers.installed import script
from benchmarks.peers.postgres import postgres
from benchmarks.results import Setting

Bank = tuple[str, int]
"""What a peer is, and its port."""


@asynccontextmanager
async def node_bank(kind: str, accounts: int) -> AsyncIterator[Bank]:
    """Run ``transfer.mjs`` on ``sqlite`` or ``postgres``.

    Raises:
        NotInstalled: Something is missing for it.
    """
    node, program = await script("transfer.mjs")
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="synovia-peer-"))
            name, place = "node + node:sqlite", f"{folder}/bank.sqlite"
        else:
            name, place = "node + PostgreSQL", await stack.enter_async_context(postgres())
        command = [node, str(program), kind, place, str(accounts)]
        yield name, await stack.enter_async_context(_serving(command))


@asynccontextmanager
async def python_bank(store: str, accounts: int, setting: Setting) -> AsyncIterator[Bank]:
    """Run ``by_hand`` on a file, or on a database of its own."""
    async with AsyncExitStack() as stack:
        if store == "SQLite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="synovia-peer-"))
            kind, place = "sqlite3", f"{folder}/bank.sqlite"
        else:
            kind, place = "PyMongo", (await stack.enter_async_context(database(setting))).url
        yield f"Python + {kind}", await stack.enter_async_context(by_hand(kind, place, accounts))


@asynccontextmanager
async def _serving(command: list[str]) -> AsyncIterator[int]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            port = int(await process.stdout.readline())
        yield port
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
