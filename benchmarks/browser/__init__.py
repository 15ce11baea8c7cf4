"""A real Chromium, in which pages are measured: ``drive.mjs`` does what it is asked, step by step."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.node import NodeProgram, node_program
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


@asynccontextmanager
async def browser() -> AsyncIterator[NodeProgram]:
    """Run one with one window.

    Raises:
        ChildFailed: There cannot be one; the message says why.
    """
    if reason := missing():
        raise ChildFailed(reason)
    script, chromium = _HERE / "drive.mjs", _chromium() or ""
    async with node_program("browser", script, chromium, patience=_PATIENCE, longest_answer=_LONGEST_ANSWER) as window:
        yield window
