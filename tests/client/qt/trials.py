"""``python -m client.qt.trials``: a window on a hub that stops, with a busy interface, and amid many commits.

Exit code 1 if Qt's loop is held up for 50 ms while the hub is away, half of a commit is painted, a busy interface is told
more than once, or a model is reset. Gaps are those of the wall clock: run it on a machine that has nothing else to do, or
before all others (``chrt -r 1``, as root).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from client.qt.hub_scenes import stirred, versions_of, view_of
from client.qt.stage import Told, application, strict, until
from helpers.patience import PATIENCE
from synovia_qt import BINDING, LiveTableModel
from synovia_qt.binding import QtCore

MOST_GAP = 0.05
ROWS, EDITS = 500, 20
IN_FILE = "sqlite:///{}/hub.db"


class Heart:
    """Beats every 2 ms in Qt's loop, and keeps the longest time between two beats."""

    def __init__(self) -> None:
        self._timer = QtCore.QTimer()
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(2)
        self.restart()

    def restart(self) -> None:
        self.longest = self.busiest = 0.0
        self._last = time.perf_counter(), time.thread_time()

    def _beat(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.longest = max(self.longest, now[0] - self._last[0])
        self.busiest = max(self.busiest, now[1] - self._last[1])
        self._last = now


def rest(seconds: float) -> None:
    loop = QtCore.QEventLoop()
    QtCore.QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


def a_hub_that_stops(seconds: float) -> bool:
    """Look at Qt's loop while the hub stands still, is dead and comes back; two tables are edited and painted meanwhile."""
    application()
    heart = Heart()
    longest = [_held_up(heart, "no client at all", lambda: rest(seconds))]
    with stirred(IN_FILE, ROWS) as (hub, _, client, models):
        views = [view_of(model, [], models) for model in models]
        edits = _edits(models)

        def away() -> None:
            for _ in range(EDITS):
                next(edits)()
                rest(seconds / EDITS)

        def dead() -> None:
            hub.kill()
            away()

        def back() -> None:
            starting = threading.Thread(target=lambda: asyncio.run(hub.start()))
            starting.start()
            until(lambda: not starting.is_alive())
            client.retry()
            until(lambda: client.online and client.waiting == 0)

        _held_up(heart, "the hub answers", away)
        hub.pause()
        longest.append(_held_up(heart, "it stands still", away))
        longest.append(_held_up(heart, "it is dead", dead))
        longest.append(_held_up(heart, "it comes back", back))
        for view in views:
            view.close()
    return max(longest) < MOST_GAP


def _edits(models: list[LiveTableModel]) -> Any:
    """Give functions that each edit another cell."""
    for number in range(ROWS * 2):
        model = models[number % 2]
        yield lambda model=model, number=number: model.setData(model.index(number, 1), number)


def _held_up(heart: Heart, what: str, function: Callable[[], None]) -> float:
    heart.restart()
    function()
    print(
        f"{what:>16}: longest gap of Qt's loop {heart.longest * 1000:5.1f} ms, "
        f"of which at most {heart.busiest * 1000:5.1f} ms are its thread's own work",
        flush=True,
    )
    return heart.longest


def a_busy_interface(seconds: float) -> bool:
    """Let commits come in while Qt's events do not run for so long, and count what is told of them."""
    with stirred() as (_, other, client, models):
        watches = [Told(model) for model in models]
        told: list[Any] = []
        client.transitioned.connect(told.append)
        commits, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            commits += 1
            other.mutation("stirred:stir", {"version": commits})
        client.blocking.mutation("stirred:stir", {"version": commits + 1})  # its transition comes before its answer
        until(lambda: versions_of(models) == {commits + 1})
        print(
            f"{commits + 1:,} commits while the interface was busy for {seconds:g} s: {len(told)} update(s)", flush=True
        )
        return len(told) == 1 and not any(watch.resets for watch in watches)


def many_commits(commits: int, in_a_row: int) -> bool:
    """Paint two models amid commits that change both."""
    with stirred() as (_, other, _, models):
        watches = [(strict(model), Told(model)) for model in models]
        paints: list[set[int]] = []
        views = [view_of(model, paints, models) for model in models]
        for newest in range(in_a_row, commits + 1, in_a_row):
            calls = [
                other.submit_mutation("stirred:stir", {"version": version})
                for version in range(newest - in_a_row + 1, newest + 1)
            ]
            until(lambda newest=newest: versions_of(models) == {newest}, turn=1)  # type: ignore[misc]
            for call in calls:
                call.result(PATIENCE)
        same = all([*model.rows] == other.query("stirred:on_list", model.args) for model in models)
        torn = sum(len(versions) > 1 for versions in paints)
        resets = sum(told.resets for _, told in watches)
        print(
            f"{commits:,} commits, {in_a_row} in a row: {len(paints):,} paintings of two tables, {torn} of half a commit, "
            f"{resets} resets; {'every row is where the hub has it' if same else 'rows are other than the hub has them'}",
            flush=True,
        )
        for view in views:
            view.close()
        return same and not torn and not resets


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long the hub is away, and the interface busy")
    parser.add_argument("--commits", type=int, default=1000)
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    print(f"{BINDING}, load {os.getloadavg()[0]:.1f}")
    good = [
        a_hub_that_stops(options.seconds),
        a_busy_interface(options.seconds),
        many_commits(options.commits, 1),
        many_commits(options.commits, 8),
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
