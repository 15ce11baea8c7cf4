"""Bringing functions from the client's thread to Qt's: all that waits in one event, at most one a frame."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable

from synovia_qt.binding import QtCore, Signal, Slot

logger = logging.getLogger("synovia_qt")


class EventQueue(QtCore.QObject):
    """Runs functions on the thread of this object, in order.

    Args:
        frame: Milliseconds between two events at least.
    """

    _due = Signal()

    def __init__(self, frame: int) -> None:
        super().__init__()
        if not isinstance(frame, int) or frame < 0:
            raise ValueError(f"a frame is a number of milliseconds, a whole one, and not {frame!r}")
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._posted = False
        self._closed = False
        self._frame = frame
        self._since = QtCore.QElapsedTimer()
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._run)
        self._due.connect(self._look, QtCore.Qt.ConnectionType.QueuedConnection)

    def post(self, function: Callable[[], None]) -> None:
        """Run a function on Qt's thread; may be called on any. Nothing is run once the queue is closed."""
        with self._lock:
            if self._closed:
                return
            self._waiting.append(function)
            posts, self._posted = not self._posted, True
        if posts:
            self._due.emit()

    def close(self) -> None:
        """Run nothing any more; on Qt's thread."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        with contextlib.suppress(RuntimeError):  # Qt may have ended before
            self._timer.stop()

    @Slot()
    def _look(self) -> None:
        passed = self._since.elapsed() if self._since.isValid() else self._frame
        if passed >= self._frame:
            self._run()
        elif not self._closed:
            self._timer.start(self._frame - int(passed))

    @Slot()
    def _run(self) -> None:
        self._since.start()
        with self._lock:
            self._posted = False
            functions = list(self._waiting)
            self._waiting.clear()
        for function in functions:
            if self._closed:
                return
            try:
                function()
            except Exception:
                logger.exception("a callback of the Synovia client failed")
