"""The clients themselves, as the registries have them, against a hub on each store."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.patience import PATIENCE
from helpers.sync_server import Running

pytestmark = pytest.mark.same_tables

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(scope="session")
def npm_clients() -> Path:
    """Give the folder with the npm clients; they are installed if nobody has done it yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not installed")
    if not (CLIENTS / "node_modules" / "convex-before").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=CLIENTS, check=True)
    return CLIENTS


async def converse(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        printed = await process.stdout.read() if process.stdout is not None else b""
        raise AssertionError(f"it hangs after: {printed.decode()}") from None
    assert process.returncode == 0, printed.decode()


@pytest.mark.slow
@pytest.mark.parametrize("package", ["convex", "convex-before"])
async def test_npm_clients_of_today_and_of_a_year_ago(running: Running, npm_clients: Path, package: str) -> None:
    await converse("node", "conversation.mjs", package, f"http://127.0.0.1:{running.port}")


async def test_the_client_of_pypi(running: Running) -> None:
    await converse(sys.executable, "conversation.py", f"http://127.0.0.1:{running.port}")
