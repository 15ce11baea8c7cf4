"""What the scenes share: an application, a scripted hub, a client of it, and waiting while Qt's events run."""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from client.peer import PeerConnection
from client.peer_thread import PeerThread
from helpers.patience import PATIENCE
from synovia_protocol.messages import QueryPatch, QueryValue
from synovia_protocol.patch import diff
from synovia_qt import BINDING, LiveTableModel, SynoviaClient
from synovia_qt.binding import QtCore

if TYPE_CHECKING:
    from PySide6 import QtTest, QtWidgets
else:
    QtTest: Any = importlib.import_module(f"{BINDING}.QtTest")
    QtWidgets: Any = importlib.import_module(f"{BINDING}.QtWidgets")

__all__ = ["QtWidgets", "Rows", "Told", "application", "connected", "give", "lead", "strict", "until"]

Rows = list[dict[str, Any]]


@functools.cache
def application() -> Any:
    """Give the one application of this process, which PyQt6 would forget if nobody held it."""
    return QtWidgets.QApplication([])


def until(condition: Callable[[], object], patience: float = PATIENCE, turn: int = 5) -> None:
    """Let Qt's events run until the condition holds, which is looked at again after so many milliseconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "what is waited for does not come"
        loop = QtCore.QEventLoop()
        QtCore.QTimer.singleShot(turn, loop.quit)
        loop.exec()


@contextmanager
def connected(**options: Any) -> Iterator[tuple[PeerThread, SynoviaClient]]:
    """Run a scripted hub and a client of it."""
    application()
    hub = PeerThread()
    client = SynoviaClient(hub.url, proxy=None, **options)
    try:
        yield hub, client
    finally:
        client.close()
        hub.stop()


class Told:
    """Counts what a model announces.

    Attributes:
        resets, layouts, removed, inserted, moved: How often.
        changed: The cells of each dataChanged: first row, last row, first column, last column.
    """

    def __init__(self, model: LiveTableModel) -> None:
        self.resets = self.layouts = self.removed = self.inserted = self.moved = 0
        self.changed: list[tuple[int, int, int, int]] = []
        model.modelReset.connect(lambda: self._count("resets"))
        model.layoutChanged.connect(lambda *_: self._count("layouts"))
        model.rowsRemoved.connect(lambda *_: self._count("removed"))
        model.rowsInserted.connect(lambda *_: self._count("inserted"))
        model.rowsMoved.connect(lambda *_: self._count("moved"))
        model.dataChanged.connect(self._cells)

    def _count(self, name: str) -> None:
        setattr(self, name, getattr(self, name) + 1)

    def _cells(self, first: Any, last: Any, roles: Any) -> None:
        self.changed.append((first.row(), last.row(), first.column(), last.column()))


def strict(model: LiveTableModel) -> Any:
    """Watch a model: whatever it announces wrongly ends the process."""
    tester = QtTest.QAbstractItemModelTester
    return tester(model, tester.FailureReportingMode.Fatal, model)


async def give(connection: PeerConnection, ts: int, **values: Any) -> None:
    """Give several queries their values in one transition."""
    queries = [(await connection.expect_query(path), value) for path, value in values.items()]
    await connection.transition(ts, *[QueryValue(query.query_id, value) for query, value in queries])


async def lead(connection: PeerConnection, ts: int, **steps: tuple[Any, Any]) -> None:
    """Lead several queries from one value to another in one transition."""
    patches = [QueryPatch(connection.queries[path].query_id, (diff(old, new),)) for path, (old, new) in steps.items()]
    await connection.transition(ts, *patches)
