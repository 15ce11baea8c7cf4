"""The last seconds of a session, moving."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtWidgets import QButtonGroup, QFrame, QVBoxLayout, QWidget

from motion.desktop.plot.knee_plot import KneePlot
from motion.desktop.plot.legend import Legend
from motion.desktop.plot.numbers import Extremes, extremes_of, flexion_sign
from motion.desktop.plot.numbers_panel import NumbersPanel
from motion.desktop.plot.view import View
from motion.desktop.style.theme import theme
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import card, column, row
from motion.desktop.widgets.texts import text
from motion.desktop.words.naming import SIDES
from synovia_qt import FollowMode, LiveCurve, LiveSamples

WINDOWS = (5, 10, 30)
LEAST, MOST = -5.0, 70.0


class LivePlot(QWidget):
    """The knees of a session that runs, and their numbers so far.

    Args:
        samples: The session.
    """

    def __init__(self, samples: LiveSamples) -> None:
        super().__init__()
        self._samples = samples
        self._seen = samples.begin
        self.extremes: dict[str, Extremes | None] = dict.fromkeys(SIDES)
        self._sign = 1
        self.plot = KneePlot(is_live=True)
        self.plot.setMinimumHeight(320)
        self.plot.view = View(0.0, 10.0)
        self.plot.set_bounds(LEAST, MOST)
        self._curves: dict[str, Any] = {}
        for side in reversed(SIDES):
            self._curves[side] = LiveCurve(samples, f"{side}Knee", pen=self.plot.pen_of(side), antialias=True)
            self.plot.addItem(self._curves[side])
        self.follow = FollowMode(self.plot.getPlotItem().getViewBox(), samples)
        self.numbers = NumbersPanel(list(SIDES))
        self._scope = "so far"
        self._state = text("Last 10 seconds", "small")
        head = row(
            text("Knee flexion", "section"), 8, Legend(list(SIDES)), self._state, None, self._choice(), spacing=4
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(card(column(head, self.plot, spacing=6, margins=(14, 10, 14, 14))))
        layout.addWidget(self.numbers)
        layout.addStretch(1)
        samples.grown.connect(self._grown)
        theme().changed.connect(self._recolour)
        self._grown()

    def _choice(self) -> QFrame:
        group = QButtonGroup(self)
        buttons = []
        for seconds in WINDOWS:
            button = Button(f"{seconds} s", "segment", run=lambda seconds=seconds: self._show(seconds))  # type: ignore[misc]
            button.setCheckable(True)
            button.setChecked(seconds == 10)
            group.addButton(button)
            buttons.append(button)
        return card(row(*buttons, spacing=0, margins=(3, 3, 3, 3)), "segmented")

    def _show(self, seconds: int) -> None:
        self.follow.set_window(float(seconds))
        self.follow.active = True
        self._state.setText(f"Last {seconds} seconds")

    def show_narrow(self, narrow: bool) -> None:
        """Leave out how much is shown, where there is little room: the buttons beside it say it, too."""
        self._state.setVisible(not narrow)

    def curve(self, side: str) -> Any:
        """Give the angles that are drawn of a knee."""
        return self._curves[side].getData()[1]

    def show_finished(self) -> None:
        """Say that no more samples come."""
        self._state.setText("Finished")
        self._scope = "whole recording"
        self._tell()

    def _grown(self) -> None:
        """Look at what has come: the largest bend tells which way flexion is."""
        for side in SIDES:
            came = np.asarray(self._samples.values(f"{side}Knee", self._seen, self._samples.end))
            found = extremes_of(came) if len(came) else None
            if found is not None:
                self.extremes[side] = found.joined(self.extremes[side])
        self._seen = self._samples.end
        sign = flexion_sign(*self.extremes.values())
        if sign != self._sign:
            self._sign = sign
            for curve in self._curves.values():
                curve.set_factor(sign)
        values = [v * sign for each in self.extremes.values() if each is not None for v in (each.least, each.largest)]
        if values:
            self.plot.set_bounds(min(LEAST, min(values) - 5), max(MOST, max(values) + 8))
        self._tell()

    def _tell(self) -> None:
        self.numbers.show_extremes(self.extremes, self._sign, self._scope)

    def _recolour(self) -> None:
        for side, curve in self._curves.items():
            curve.setPen(self.plot.pen_of(side))
