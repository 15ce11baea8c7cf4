"""Samples of a sensor on their way to a live session; the next batch waits for the answer to the one before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from motion.cli.following import batch_of
from motion.desktop.sensors.sensor import Sensor
from motion.desktop.words.errors import code_of
from synovia_client import SynoviaError
from synovia_qt import SynoviaClient

Floats = NDArray[np.float64]
EVERY_MS = 100
MOST_AT_ONCE = 10_000
SAID_ELSEWHERE = {"finished", "not_found"}


class Measuring(QObject):
    """One session's samples on their way.

    Args:
        client: Where they go.
        session_id: The session.
        sensor: Where they come from; it is started, and stopped with this.
        position: How many samples the session has already.

    Attributes:
        ended: Emitted once, with why there are no more samples, or None if somebody ended it.
        sent: Emitted when a batch has been taken.
    """

    ended = Signal(object)
    sent = Signal()

    def __init__(
        self, client: SynoviaClient, session_id: str, sensor: Sensor, position: int = 0, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.session_id, self.sensor = session_id, sensor
        self._client, self._position = client, position
        self._left: list[Floats] = []
        self._right: list[Floats] = []
        self._sending = self._over = False
        self._why: BaseException | None = None
        self._is_measuring = True
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._look)
        sensor.start()
        self._timer.start()

    @property
    def is_running(self) -> bool:
        """Whether samples come, or are still on their way."""
        return not self._over

    def stop(self) -> None:
        """Measure no more; what was measured is still sent, and then ``ended`` is emitted."""
        if self._is_measuring:
            self._take()
            self._end_measuring(None)

    def give_up(self) -> None:
        """Measure no more, and send nothing more."""
        self._end_measuring(None)
        self._left, self._right = [], []
        self._finish()

    def _look(self) -> None:
        if self._is_measuring:
            self._take()
        self._send()

    def _take(self) -> None:
        try:
            left, right = self.sensor.take()
        except OSError as error:
            self._end_measuring(error)
            return
        if len(left):
            self._left.append(left)
            self._right.append(right)

    def _end_measuring(self, why: BaseException | None) -> None:
        if self._is_measuring:
            self._is_measuring = False
            self._why = why
            self.sensor.stop()

    def _send(self) -> None:
        if self._sending or self._over:
            return
        if not self._left:
            if not self._is_measuring:
                self._finish()
            return
        left, right = np.concatenate(self._left), np.concatenate(self._right)
        self._left, self._right = [left[MOST_AT_ONCE:]], [right[MOST_AT_ONCE:]]
        if not len(self._left[0]):
            self._left, self._right = [], []
        self._append(left[:MOST_AT_ONCE], right[:MOST_AT_ONCE])

    def _append(self, left: Floats, right: Floats) -> None:
        self._sending = True
        args = {"sessionId": self.session_id, "position": self._position, **batch_of(left, right)}
        call = self._client.mutation("live:append", args, timeout=None)
        call.succeeded.connect(self._taken)
        call.failed.connect(lambda error: self._refused(error, left, right))

    def _taken(self, position: int) -> None:
        self._sending = False
        self._position = position
        self.sent.emit()
        self._send()

    def _refused(self, error: SynoviaError, left: Floats, right: Floats) -> None:
        """Go on from where the server is, if it has other samples than was thought; else end."""
        self._sending = False
        known = (getattr(error, "data", None) or {}).get("sampleCount")
        if code_of(error) == "out_of_order" and isinstance(known, int):
            skip = known - self._position
            self._position = known
            if 0 < skip < len(left):
                self._left.insert(0, left[skip:])
                self._right.insert(0, right[skip:])
            return
        self._end_measuring(None if code_of(error) in SAID_ELSEWHERE else error)
        self._left, self._right = [], []
        self._finish()

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._timer.stop()
            self.ended.emit(self._why)
