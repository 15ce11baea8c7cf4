"""``python -m benchmarks.window_memory [MINUTES] [PER_SECOND]``: what a Qt table holds more after an hour of changes.

A ``LiveTableModel`` of 1,000 rows in a ``QTableView``, drawn offscreen, of which another client changes one row after the
other. The memory of the window is read 20 times, after a first part of the time that fills what Python and Qt keep,
from ``/proc``: Linux only.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import sys
import time
from itertools import count
from pathlib import Path

from benchmarks.hub import EMBEDDED, hub
from benchmarks.results import Setting
from benchmarks.work import fill
from synovia_client import Client

MINUTES, PER_SECOND, PARTS = 60.0, 50.0, 20
ROWS = 1_000
_ROOT = Path(__file__).parents[1]


async def measure(minutes: float, per_second: float) -> None:
    """Run a hub, a writer and a window, whose figures are printed as they come."""
    async with hub(EMBEDDED, Setting(mongodb=""), "window memory") as running:
        await fill(running.url, "large", ROWS)
        window = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.window_memory", "--window", running.url, str(minutes)),
            cwd=_ROOT,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests'}"},
        )
        writing = asyncio.create_task(_write(running.url, per_second), name="the writer")
        try:
            await window.wait()
        finally:
            writing.cancel()


async def _write(url: str, per_second: float) -> None:
    """Change one row after the other at an even pace; where the machine is behind, at its own."""
    async with Client(url, proxy=None) as client:
        rows = await client.query("sensors:in_room", {"room": "large"})
        start = time.monotonic()
        for number in count():
            await asyncio.sleep(start + number / per_second - time.monotonic())
            await client.mutation("sensors:set_level", {"sensorId": rows[number % ROWS]["_id"], "level": number})


def watch(url: str, minutes: float) -> None:
    """Show the table, and print the memory of this process."""
    from PySide6 import QtCore, QtWidgets

    from synovia_qt import LiveTableModel, SynoviaClient

    QtWidgets.QApplication([])
    client = SynoviaClient(url, proxy=None)
    model = LiveTableModel(client, "sensors:in_room", {"room": "large"}, ["label", "level", "rank"])
    seen = [0]

    def changed(*_: object) -> None:
        seen[0] += 1

    model.dataChanged.connect(changed)
    view = QtWidgets.QTableView()
    view.setModel(model)
    view.resize(500, 800)
    view.show()
    for part in range(PARTS + 1):
        loop = QtCore.QEventLoop()
        QtCore.QTimer.singleShot(int(minutes * 60_000 / PARTS), loop.quit)
        loop.exec()
        gc.collect()
        print(f"{part * minutes / PARTS:6.1f} min {_resident() / 2**20:8.1f} MiB {seen[0]:9,} changes", flush=True)
    client.close()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--window"]:
        watch(sys.argv[2], float(sys.argv[3]))
        return
    logging.disable(logging.WARNING)
    figures = [float(each) for each in sys.argv[1:3]]
    minutes, per_second = [*figures, *(MINUTES, PER_SECOND)[len(figures) :]]
    asyncio.run(measure(minutes, per_second))


if __name__ == "__main__":
    main()
