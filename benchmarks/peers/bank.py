"""The peers of ``transfer``: node on ``node:sqlite``, and on PostgreSQL."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.peers.installed import script
from benchmarks.peers.postgres import postgres


@asynccontextmanager
async def bank_server(kind: str, accounts: int) -> AsyncIterator[tuple[str, int]]:
    """Run ``transfer.mjs`` on ``sqlite`` or ``postgres``; give what it is and its port.

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
