"""A window of the benchmark ``window``: ``python -m benchmarks.window_program URL|bare SECONDS PER_SECOND`` prints JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from PySide6 import QtCore, QtWidgets

from synovia_client import BlockingClient
from synovia_qt import LiveTableModel, SynoviaClient

ROWS, SHOWN = 1_000, 20
COLUMNS = ["label", "level", "rank"]


class BareModel(QtCore.QAbstractTableModel):
    """Rows in this process, told of changes by a queued signal."""

    changed = QtCore.Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = [{"label": f"sensor {n}", "level": 0, "rank": n} for n in range(ROWS)]
        self.changed.connect(self._set, QtCore.Qt.ConnectionType.QueuedConnection)

    def rowCount(self, parent: Any = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = QtCore.QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Any, role: int = QtCore.Qt.ItemDataRole.DisplayRole) -> Any:
        if role != QtCore.Qt.ItemDataRole.DisplayRole:
            return None
        return self.rows[index.row()][COLUMNS[index.column()]]

    def _set(self, row: int, level: int) -> None:
        self.rows[row] = {**self.rows[row], "level": level}
        cell = self.index(row, 1)
        self.dataChanged.emit(cell, cell)


class Painted(QtWidgets.QStyledItemDelegate):
    """Notes when each level is painted for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[int, float] = {}

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        super().paint(painter, option, index)
        if index.column() == 1:
            self.at.setdefault(int(index.data()), time.perf_counter())


class Writer(threading.Thread):
    """Makes changes at an even pace; a level is the number of its change, and newer than all before it."""

    def __init__(self, change: Any, seconds: float, per_second: float) -> None:
        super().__init__(daemon=True)
        self.sent: dict[int, float] = {}
        self.seconds = seconds
        self._change, self._count, self._pause = change, int(seconds * per_second), 1 / per_second

    def run(self) -> None:
        base = int(time.time() * 1000)
        start = time.perf_counter()
        for number in range(self._count):
            time.sleep(max(0.0, start + number * self._pause - time.perf_counter()))
            self.sent[base + number] = time.perf_counter()
            self._change(number % SHOWN, base + number)


def main(url: str, seconds: float, per_second: float) -> list[float]:
    application = QtWidgets.QApplication([])
    view = QtWidgets.QTableView()
    painted = Painted()
    view.setItemDelegate(painted)
    view.resize(500, 800)
    view.show()
    if url == "bare":
        bare = BareModel()
        view.setModel(bare)
        return _measured(painted, Writer(bare.changed.emit, seconds, per_second))
    client, other = SynoviaClient(url, proxy=None), BlockingClient(url, proxy=None)
    model = LiveTableModel(client, "sensors:in_room", {"room": "large"}, COLUMNS)
    view.setModel(model)
    while model.rowCount() < ROWS:
        application.processEvents()

    def change(row: int, level: int) -> None:
        other.submit_mutation("sensors:set_level", {"sensorId": model.rows[row]["_id"], "level": level})

    figures = _measured(painted, Writer(change, seconds, per_second))
    other.close()
    client.close()
    return figures


def _measured(painted: Painted, writer: Writer) -> list[float]:
    """Give the milliseconds from each change to its first painting."""
    writer.start()
    loop = QtCore.QEventLoop()
    QtCore.QTimer.singleShot(int(writer.seconds * 1000) + 1_000, loop.quit)
    loop.exec()
    return [(painted.at[level] - sent) * 1000 for level, sent in writer.sent.items() if level in painted.at]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))))
