"""The curve of a session that grows, drawn once a frame, and a view that follows its end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from synovia_client.array_layers import EVERY_BELOW, envelope
from synovia_qt.binding import Property, QtCore, Signal
from synovia_qt.client import FRAME
from synovia_qt.live_samples import LiveSamples
from synovia_qt.pyqtgraph_binding import pyqtgraph


class LiveCurve(pyqtgraph.PlotCurveItem):  # type: ignore[misc]
    """The curve of one series of a growing session in a pyqtgraph plot, in seconds from its first sample.

    However many samples come, it is drawn once a frame, and only what can be seen of it. Samples that are NaN are gaps.

    Args:
        samples: Where they come from; several curves share it, and grow together.
        name_of_series: Which of its series.
        factor: What each value is multiplied with.
        style: As for ``pyqtgraph.PlotCurveItem``: ``pen``, ``name`` and so on.
    """

    def __init__(self, samples: LiveSamples, name_of_series: str, *, factor: float = 1.0, **style: Any) -> None:
        if name_of_series not in samples.names:
            raise ValueError(f"these samples have no series {name_of_series!r}, only {', '.join(samples.names)}")
        super().__init__(connect="finite", **style)
        self._samples = samples
        self._series = name_of_series
        self._factor = factor
        self._extremes: tuple[float, float] | None = None
        self._seen = samples.begin
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._draw)
        samples.grown.connect(self._grown)
        self._grown()

    def set_factor(self, factor: float) -> None:
        """Multiply each value with another factor."""
        self._factor = factor
        self._draw()

    def _grown(self) -> None:
        if self._samples.end < self._seen:
            self._seen, self._extremes = self._samples.begin, None
        self._widen(self._samples.values(self._series, self._seen, self._samples.end))
        self._seen = self._samples.end
        self._draw_soon()

    def _widen(self, values: Any) -> None:
        finite = values[np.isfinite(values)]
        if len(finite):
            low, high = float(finite.min()), float(finite.max())
            before = self._extremes or (low, high)
            self._extremes = min(low, before[0]), max(high, before[1])

    def viewRangeChanged(self) -> None:
        """Draw what can be seen now; called by pyqtgraph."""
        if getattr(self, "_samples", None) is not None:
            self._draw_soon()

    def _draw_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _draw(self) -> None:
        samples, rate = self._samples, self._samples.rate
        if not rate > 0:
            return
        start, stop, pixels = self._seen_part(rate)
        values = samples.values(self._series, start, stop)
        start = max(start, samples.begin)
        if len(values) > EVERY_BELOW * pixels > 0:
            bucket = 2 ** math.ceil(math.log2(len(values) / (2 * pixels)))
            layer = envelope(values, start, bucket)
            self.setData(x=layer.places / rate, y=layer.values * self._factor)
        else:
            self.setData(x=np.arange(start, start + len(values)) / rate, y=values * self._factor)

    def _seen_part(self, rate: float) -> tuple[int, int, float]:
        """Give the samples that can be seen, with one more at each end, and over how many pixels."""
        box = self.getViewBox()
        if box is None or box.autoRangeEnabled()[0]:
            return self._samples.begin, self._samples.end, 2_000.0 if box is None else max(1.0, box.width())
        (left, right), _ = box.viewRange()
        return math.floor(left * rate) - 1, math.ceil(right * rate) + 2, max(1.0, box.width())

    def dataBounds(self, ax: int, frac: float = 1.0, orthoRange: Any = None) -> Any:
        """Give the bounds of all samples that are here, whatever part of them is drawn; called by pyqtgraph."""
        samples = getattr(self, "_samples", None)
        if samples is None or frac < 1.0 or (ax == 1 and orthoRange is not None):
            return super().dataBounds(ax, frac, orthoRange)
        if ax == 1:
            ends = sorted(end * self._factor for end in self._extremes or ())
            return tuple(ends) if ends else (None, None)
        if samples.end == samples.begin or not samples.rate > 0:
            return None, None
        return samples.begin / samples.rate, (samples.end - 1) / samples.rate


BEHIND = 0.4
"""Seconds that the view stays behind the newest sample, so that it moves evenly although samples come in batches."""
_FAR = 2.5
_EAGERNESS = 1.2
_FASTEST = 3.0


class FollowMode(QtCore.QObject):
    """Keeps the last seconds of a session in view, moving evenly; ends when somebody moves the view by hand.

    Args:
        view: The ``ViewBox`` of the plot, its owner in Qt too.
        samples: The session.
        window: How many seconds are shown.

    Attributes:
        activeChanged: Emitted with whether it follows.
    """

    activeChanged = Signal(bool)

    def __init__(self, view: Any, samples: LiveSamples, window: float = 10.0) -> None:
        super().__init__(view)
        self._view = view
        self._samples = samples
        self._window = window
        self._active = True
        self._at: float | None = None
        self._clock = QtCore.QElapsedTimer()
        self._timer = QtCore.QTimer(self)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._tick)
        samples.grown.connect(self._go_on)
        view.sigRangeChangedManually.connect(self._moved_by_hand)
        view.setXRange(0.0, window, padding=0)
        self._go_on()

    def _get_active(self) -> bool:
        return self._active

    def _set_active(self, active: bool) -> None:
        if active == self._active:
            return
        self._active = active
        if active:
            self._at = None
            self._show(self._samples.seconds)
            self._go_on()
        else:
            self._timer.stop()
        self.activeChanged.emit(active)

    active: bool = Property(bool, _get_active, _set_active, notify=activeChanged)  # type: ignore[assignment]
    """Whether the view follows."""

    @property
    def window(self) -> float:
        """How many seconds are shown."""
        return self._window

    def set_window(self, seconds: float) -> None:
        """Show so many seconds.

        Raises:
            ValueError: Not a positive number.
        """
        if not seconds > 0:
            raise ValueError(f"a window is longer than 0 s, not {seconds!r}")
        self._window = seconds
        if self._active:
            self._show(self._samples.seconds if self._at is None else self._at)

    def _moved_by_hand(self, *_: object) -> None:
        self._set_active(False)

    def _go_on(self) -> None:
        if self._active and not self._timer.isActive() and self._samples.rate > 0:
            self._clock.start()
            self._timer.start()

    def _tick(self) -> None:
        if self._view.autoRangeEnabled()[0] and self._at is not None:  # somebody wants to see all of it
            self._set_active(False)
            return
        newest = self._samples.seconds
        passed = self._clock.restart() / 1000
        self._at = moved(newest - BEHIND if self._at is None else self._at, newest, passed)
        self._show(self._at)
        if self._at >= newest:
            self._timer.stop()

    def _show(self, at: float) -> None:
        end = max(self._window, at)
        self._view.setXRange(end - self._window, end, padding=0)


def moved(at: float, newest: float, passed: float) -> float:
    """Move a place on that stays a little behind the newest sample: faster when it falls back, slower when it catches up.

    Args:
        at, newest: In seconds of the session.
        passed: Seconds since it was moved last.
    """
    behind = newest - at
    if behind > _FAR:
        return newest - BEHIND
    return min(newest, at + passed * min(_FASTEST, max(0.0, 1 + (behind - BEHIND) * _EAGERNESS)))
