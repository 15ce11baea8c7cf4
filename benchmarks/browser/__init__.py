"""A real Chromium, in which pages are measured: ``drive.mjs`` does what it is asked, step by step."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import ChildFailed

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
_NEEDED = ("apps/motion/web/index.html", "apps/motion/desk/node_modules", "tests/browser/node_modules/playwright-core")
_PATIENCE = 120.0
_LONGEST_ANSWER = 1 << 20


def missing() -> str | None:
    """Tell why no page can be measured here; None if one can."""
    if shutil.which("node") is None:
        return "there is no Node.js: https://nodejs.org"
    if _chromium() is None:
        return "no Chromium is found: apt-get install -y chromium (or name one in SYNOVIA_TEST_CHROMIUM)"
    if not all((_ROOT / path).exists() for path in _NEEDED):
        return "the page is not built, or its tests lack their packages: make bench sees to both"
    return None


def _chromium() -> str | None:
    found = filter(None, map(shutil.which, _CHROMIUMS))
    return os.environ.get("SYNOVIA_TEST_CHROMIUM") or next(found, None)


class Browser:
    """A browser with one window."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, step: str, **args: Any) -> Any:
        """Do one of the steps of ``drive.mjs`` and give its answer.

        Raises:
            ChildFailed: It failed, or the browser has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"step": step, **args}).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            line = await self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the browser has ended"}
        if "error" in answer:
            raise ChildFailed(f"browser: {step}: {answer['error']}")
        return answer["value"]


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Run one.

    Raises:
        ChildFailed: There cannot be one; the message says why.
    """
    if reason := missing():
        raise ChildFailed(reason)
    command = ("node", str(_HERE / "drive.mjs"), _chromium() or "")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=_LONGEST_ANSWER)
    try:
        yield Browser(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()
