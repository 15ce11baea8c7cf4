"""Runs what follows updates where it can harm nobody: small documents here, all others in a process of their own."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any, Final, Literal

from synovia.errors import FunctionError
from synovia.shared_docs.library import is_panic

UNREADABLE: Final = "unreadable_shared_doc"
SMALL: Final = 8 * 1024
"""Bytes in which nothing is nested so deep that following it could be too much."""
_SECONDS: Final = 10.0
_PROGRAM: Final = Path(__file__).with_name("reading.py")

Name = Literal["texts", "compare", "reverting"]


async def run(name: Name, *states: bytes) -> Any:
    """Do what a function of ``reading`` does.

    Raises:
        FunctionError: ``unreadable_shared_doc``: the document cannot be read, or not in ten seconds.
    """
    if sum(map(len, states)) <= SMALL:
        return _here(name, states)
    try:
        async with asyncio.timeout(_SECONDS):
            return await _apart(name, states)
    except TimeoutError:
        raise _unreadable() from None


def _here(name: Name, states: tuple[bytes, ...]) -> Any:
    from synovia.shared_docs import reading  # it needs the library, which is an extra

    try:
        return getattr(reading, name)(*states)
    except Exception as error:  # whatever it is that the library, or its map without the key that it has named, raises
        raise _unreadable() from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise _unreadable() from None


async def _apart(name: Name, states: tuple[bytes, ...]) -> Any:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_PROGRAM), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        asked = json.dumps([name, [len(state) for state in states]]).encode() + b"\n"
        out, _ = await process.communicate(asked + b"".join(states))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _unreadable()
    return out if name == "reverting" else json.loads(out)


def _unreadable() -> FunctionError:
    return FunctionError(UNREADABLE, "this shared document cannot be read")
