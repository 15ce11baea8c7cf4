"""Where strides run into each other: a band between the least and the largest angle of each, with its upper edge."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from motion.desktop.style.theme import theme

Floats = NDArray[np.float64]
STRIDE_S = 1.6
"""The stride of a slow walk: a column that holds less of it would go up and down with it."""


class DenseBand:
    """The band of one knee.

    Args:
        plot: Where it is drawn.
        side: Whose colours it has.
    """

    def __init__(self, plot: pg.PlotWidget, side: str) -> None:
        self._side = side
        self._upper, self._lower = pg.PlotCurveItem(antialias=True), pg.PlotCurveItem(pen=None)
        self._fill = pg.FillBetweenItem(self._upper, self._lower)
        for item in (self._fill, self._upper, self._lower):
            plot.addItem(item)
        self.hide()

    def hide(self) -> None:
        """Draw nothing: lines can be told apart."""
        for item in (self._fill, self._upper, self._lower):
            item.setVisible(False)

    def show(self, times: Floats, angles: Floats, pixel: float) -> None:
        """Draw the band of a curve.

        Args:
            times, angles: What is there of it, in order.
            pixel: Seconds in a pixel.
        """
        spacing = 2 * (times[-1] - times[0]) / max(1, len(times) - 1)
        at, low, high = columns_of(times, angles, max(STRIDE_S, pixel, spacing))
        palette = theme().palette
        self._upper.setPen(pg.mkPen(palette.colour(self._side), width=1.25))
        self._fill.setBrush(pg.mkBrush(palette.colour(f"{self._side}_band")))
        self._upper.setData(x=at, y=high)
        self._lower.setData(x=at, y=low)
        for item in (self._fill, self._upper, self._lower):
            item.setVisible(True)


def columns_of(times: Floats, angles: Floats, width: float) -> tuple[Floats, Floats, Floats]:
    """Give the middle, the least and the largest angle of each column so many seconds wide; gaps count for nothing."""
    known = ~np.isnan(angles)
    times, angles = times[known], angles[known]
    if not len(times):
        return times, angles, angles
    numbers = np.floor(times / width)
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    return (numbers[starts] + 0.5) * width, np.minimum.reduceat(angles, starts), np.maximum.reduceat(angles, starts)
