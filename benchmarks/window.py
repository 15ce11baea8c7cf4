"""A Qt table of 1,000 rows at 50 changes a second: from the commit's call to the painted cell, beside a bare model.

The peer is a ``QAbstractTableModel`` with the same rows in the same view, told of each change by a queued signal of a thread
of the same process: it has neither a hub nor a network. Both draw offscreen, in a process of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from benchmarks.hub import EMBEDDED, hub
from benchmarks.results import Result, Setting, compared, percentile
from benchmarks.work import fill

ROWS, PER_SECOND = 1_000, 50
ROUND_SECONDS = 6.0
_ROOT = Path(__file__).parents[1]


async def run(setting: Setting) -> Result:
    """Measure both in alternating rounds."""
    seconds = ROUND_SECONDS / 3 if setting.quick else ROUND_SECONDS
    async with hub(EMBEDDED, setting, "window") as running:
        await fill(running.url, "large", ROWS)
        rounds = []
        for _ in range(setting.rounds(3)):
            live, bare = await _painted(running.url, seconds), await _painted("bare", seconds)
            if not live or not bare:
                return Result("window", (), "no window can be drawn here: it needs PySide6 and Qt's libraries")
            rounds.append((live, bare))
    what = f"a change among {ROWS:,} rows to the painted cell, {PER_SECOND} changes a second"
    rows = [
        compared(
            f"{what}, {name}",
            "ms",
            [percentile(live, percent) for live, _ in rounds],
            "bare model",
            [percentile(bare, percent) for _, bare in rounds],
        )
        for name, percent in (("median", 50), ("95%", 95))
    ]
    return Result("window", tuple(rows))


async def _painted(url: str, seconds: float) -> list[float]:
    """Give the milliseconds of each change that was painted; none if nothing could be drawn."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.window_program", url, str(seconds), str(PER_SECOND)),
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests'}"},
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60 + seconds)
    return [float(each) for each in json.loads(out)] if process.returncode == 0 else []
