"""The plot of a recording with everything around it: the strip of the whole, the numbers, the ways to zoom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from motion.desktop.plot.dense_band import DenseBand
from motion.desktop.plot.knee_plot import KneePlot
from motion.desktop.plot.legend import Legend
from motion.desktop.plot.numbers import Extremes, bounds_of, extremes_of, flexion_sign
from motion.desktop.plot.numbers_panel import NumbersPanel
from motion.desktop.plot.overview import Overview
from motion.desktop.plot.readout import Readout
from motion.desktop.plot.view import Span, View
from motion.desktop.style.theme import theme
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.dot import Dot
from motion.desktop.widgets.layouts import card, column, row
from motion.desktop.widgets.texts import text
from motion.desktop.words.errors import describe
from motion.desktop.words.naming import Row, sides_of
from motion.desktop.words.times import decimals_for, time_in
from synovia_client import SynoviaError
from synovia_qt import ArrayCurve, SynoviaClient

STEP = 1.6
REST_MS = 150


class RecordingPlot(QWidget):
    """The knees of one recording.

    Args:
        client: Where samples are fetched.
        recording: Whose.
    """

    def __init__(self, client: SynoviaClient, recording: Row) -> None:
        super().__init__()
        self._client = client
        self._recording = recording
        self.span = Span(int(recording["sampleCount"]), float(recording["sampleRate"]))
        self.view = self.span.whole
        self.sides = sides_of(recording)
        self.extremes: dict[str, Extremes | None] = {}
        self._outlines: dict[str, Any] = {}
        self._curves: dict[str, Any] = {}
        self._bands: dict[str, DenseBand] = {}
        self._sign = 1
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._count_view)
        self._build()
        self._fetch()
        theme().changed.connect(self._recolour)

    def _build(self) -> None:
        self.plot = KneePlot()
        self.plot.setMinimumHeight(300)
        self.plot.span = self.span
        self.plot.viewed.connect(self.show_view)
        self.plot.pointed.connect(self._point)
        self.overview = Overview()
        self.overview.span = self.span
        self.overview.viewed.connect(self.show_view)
        self.readout = Readout(self.plot)
        self.numbers = NumbersPanel(self.sides)
        self._where = text("Whole recording", "small")
        self._refining = Dot("accent")
        self._refining.hide()
        self._problem = text("", "problem", wraps=True)
        self._problem.hide()
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._out = Button("Zoom out", "icon", "minus", lambda: self.show_view(self.span.zoomed(self.view, STEP)))
        zoom_in = Button("Zoom in", "icon", "plus", lambda: self.show_view(self.span.zoomed(self.view, 1 / STEP)))
        self._all = Button("Show all", "plain", run=lambda: self.show_view(self.span.whole))
        title, legend = text("Knee flexion", "section"), Legend(self.sides)
        head = row(title, 8, legend, self._where, 8, self._refining, None, self._out, zoom_in, self._all, spacing=4)
        strip = row(47, self.overview, 21, spacing=0)  # as wide as what the plot draws on
        inside = column(head, self._progress, self._problem, self.plot, strip, spacing=6, margins=(14, 10, 14, 14))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(card(inside))
        layout.addWidget(self.numbers)
        self.show_view(self.span.whole)

    def show_narrow(self, narrow: bool) -> None:
        """Leave out which part is shown, where there is little room: the strip below shows it, too."""
        self._where.setVisible(not narrow)

    @property
    def is_drawn(self) -> bool:
        """Whether the curves are there."""
        return len(self.extremes) == len(self.sides) and all(curve.is_loaded for curve in self._curves.values())

    # --- samples

    def _fetch(self) -> None:
        for side in reversed(self.sides):
            curve = ArrayCurve(
                self._client,
                self._recording[f"{side}Knee"],
                rate=self.span.rate,
                pen=self.plot.pen_of(side),
                antialias=True,
            )
            curve.progress.connect(self._moved)
            curve.failed.connect(self._failed)
            curve.loaded.connect(lambda side=side: self._loaded(side))
            curve.refiningChanged.connect(lambda _: self._refine())
            self._bands[side] = DenseBand(self.plot, side)
            self.plot.addItem(curve)
            self._curves[side] = curve

    def _moved(self, moved: int, total: int) -> None:
        self._progress.setRange(0, total)
        self._progress.setValue(moved)

    def _failed(self, error: SynoviaError) -> None:
        self._progress.hide()
        self._problem.setText(describe(error))
        self._problem.show()

    def _loaded(self, side: str) -> None:
        """Have the outline of the whole: thinning keeps every extreme, so its numbers are exact."""
        self._problem.hide()
        self._outlines[side] = np.array(self._curves[side].getData()[1]) * self._sign
        if len(self._outlines) == len(self.sides):
            self._progress.hide()
            self._outlined()

    def _refine(self) -> None:
        self._refining.setVisible(any(curve.is_refining for curve in self._curves.values()))
        self._recolour()

    def _outlined(self) -> None:
        self.extremes = {name: extremes_of(each) for name, each in self._outlines.items()}
        self._sign = flexion_sign(*self.extremes.values())
        bounds = bounds_of(*self.extremes.values())
        self.plot.set_bounds(*bounds)
        for curve in self._curves.values():
            curve.set_factor(self._sign)
        self._recolour()
        self.overview.show_outlines({name: each * self._sign for name, each in self._outlines.items()}, bounds)
        self._count_view()

    def close_curves(self) -> None:
        """Fetch nothing any more."""
        for curve in self._curves.values():
            curve.close()

    # --- the view

    def show_view(self, view: View) -> None:
        """Show a part of the recording."""
        self.view = view
        self.plot.show_view(view)
        self.overview.show_view(view)
        is_whole = self.span.is_whole(view)
        self._where.setText("Whole recording" if is_whole else f"{self._time(view.start)} – {self._time(view.stop)}")
        self._out.setEnabled(not is_whole)
        self._all.setEnabled(not is_whole)
        self._recolour()
        self._rest.start(REST_MS)

    def _time(self, second: float) -> str:
        return time_in(second, max(1, decimals_for(self.view.span / 100)))

    def _recolour(self) -> None:
        """Draw lines, or bands where strides run into each other."""
        is_dense = self.plot.is_dense
        for side, curve in self._curves.items():
            curve.setPen(pg.mkPen(None) if is_dense else self.plot.pen_of(side))
            times, angles = curve.getData()
            if is_dense and times is not None and len(times) > 1:
                self._bands[side].show(times, angles, self.view.span / self.plot.pixels)
            else:
                self._bands[side].hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See whether strides run into each other now."""
        super().resizeEvent(event)
        self._recolour()

    # --- numbers

    def _count_view(self) -> None:
        """Show the numbers of the view, exactly: thinned to two numbers, samples are their least and their largest."""
        if len(self.extremes) < len(self.sides):
            return
        if self.span.is_whole(self.view):
            self.numbers.show_extremes(self.extremes, self._sign, "whole recording")
            return
        view, found = self.view, dict[str, Extremes | None]()
        first, stop = self.span.samples(view)
        for side in self.sides:
            call = self._client.array(self._recording[f"{side}Knee"], first, stop, points=2)
            call.succeeded.connect(lambda array, side=side: self._counted(view, found, side, np.asarray(array)))

    def _counted(self, view: View, found: dict[str, Extremes | None], side: str, array: Any) -> None:
        found[side] = extremes_of(array.reshape(-1))
        if view == self.view and len(found) == len(self.sides):
            self.numbers.show_extremes(found, self._sign, "in view")

    def _point(self, second: float | None) -> None:
        if second is None or not self.is_drawn:
            self.readout.hide()
            return
        angles = {side: _angle_at(curve, second) for side, curve in self._curves.items()}
        self.readout.tell(time_in(second, decimals_for(1 / self.span.rate)), {s: angles[s] for s in self.sides})


def _angle_at(curve: Any, second: float) -> float | None:
    """Give the drawn value nearest to a moment."""
    times, values = curve.getData()
    if times is None or not len(times):
        return None
    return float(values[min(len(times) - 1, int(np.searchsorted(times, second)))])
