"""Knee angles over time: zoom by dragging, wheel or keys, move along, double-click for all of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QRubberBand, QWidget

from motion.desktop.plot.view import Span, View
from motion.desktop.style.fonts import font
from motion.desktop.style.theme import theme
from motion.desktop.words.times import decimals_for, time_in

STEP, PAN = 1.5, 0.2
WHEEL_SPEED = 0.0016
LEAST_DRAG = 4
DENSE_S = 0.2
"""Seconds in a pixel from which on the strides of somebody walking run into each other."""
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
ROOM = 80


class BareAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis of which only the numbers are drawn."""

    def generateDrawSpecs(self, painter: Any) -> Any:
        """Leave the marks out."""
        specs = super().generateDrawSpecs(painter)
        return specs and (specs[0], [], specs[2])


class TimeAxis(BareAxis):
    """Seconds, with as many decimals as its steps need below a minute, as a clock above."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """Choose how far apart the times stand."""
        fewest = (high - low) * ROOM / max(size, 1)
        return [(float(next((step for step in STEPS if step >= fewest), math.ceil(fewest / 3600) * 3600)), 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Write the times."""
        decimals = decimals_for(spacing)
        from_clock = 0 if values and values[-1] >= 120 else math.inf
        return [time_in(value, decimals, from_clock) for value in values]


class DegreeAxis(BareAxis):
    """Degrees, with a true minus."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Write the angles."""
        return [f"{round(value, 3) + 0.0:g}°".replace("-", "−") for value in values]


class KneePlot(pg.PlotWidget):  # type: ignore[misc]
    """The plot of knees.

    Attributes:
        viewed: Emitted with the view that somebody asks for; who shows the plot decides.
        pointed: Emitted with the second under the pointer, or None.
    """

    viewed = Signal(object)
    pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, is_live: bool = False) -> None:
        self._degrees = DegreeAxis("left")
        axes = {"bottom": TimeAxis("bottom"), "left": self._degrees}
        super().__init__(parent, axisItems=axes)
        self.span = Span(1, 1.0)
        self.view = View(0.0, 1.0)
        self._is_live = is_live
        self._bounds = (0.0, 1.0)
        self._pressed: QPoint | None = None
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, self.viewport())
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._zero = pg.InfiniteLine(pos=0, angle=0, movable=False)
        self._prepare()
        theme().changed.connect(self.recolour)
        self.recolour()

    def _prepare(self) -> None:
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setContentsMargins(0, 6, 22, 0)
        item.getViewBox().setMouseEnabled(False, False)
        item.getViewBox().setDefaultPadding(0)
        for name in ("bottom", "left"):
            axis = item.getAxis(name)
            axis.setStyle(tickLength=0, tickTextOffset=8, tickFont=font(12), autoExpandTextSpace=False)
        item.getAxis("left").setWidth(46)
        item.getAxis("bottom").setHeight(28)
        self._cursor.hide()
        item.addItem(self._zero, ignoreBounds=True)
        item.addItem(self._cursor, ignoreBounds=True)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if self._is_live else Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Knee angles over time")
        self.setAccessibleDescription("Plus and minus zoom, arrow keys move, zero shows everything.")

    def recolour(self) -> None:
        """Draw in the colours of the theme."""
        palette = theme().palette
        self.setBackground(palette.colour("surface"))
        item = self.getPlotItem()
        for name in ("bottom", "left"):
            axis = item.getAxis(name)
            axis.setPen(QPen(Qt.PenStyle.NoPen))
            axis.setTextPen(palette.colour("ink_3"))
        self._cursor.setPen(pg.mkPen(palette.colour("ink_3"), width=1, style=Qt.PenStyle.DashLine))
        self._zero.setPen(pg.mkPen(palette.colour("line_strong"), width=1))
        self._draw_grid()

    def _draw_grid(self) -> None:
        for line in getattr(self, "_lines", []):
            self.getPlotItem().removeItem(line)
        low, high = self.getPlotItem().getViewBox().viewRange()[1]
        step = 10 if high - low < 110 else 20 if high - low < 240 else 90
        pen = pg.mkPen(theme().palette.colour("grid"), width=1)
        self._lines = []
        for value in np.arange(math.ceil(low / step) * step, high, step):
            line = pg.InfiniteLine(pos=float(value), angle=0, movable=False, pen=pen)
            line.setZValue(-20)
            self._lines.append(line)
            self.getPlotItem().addItem(line, ignoreBounds=True)
        self._degrees.setTickSpacing(step, step)

    def set_bounds(self, low: float, high: float) -> None:
        """Show these angles."""
        if (low, high) == self._bounds:
            return
        self._bounds = (low, high)
        self.getPlotItem().getViewBox().setYRange(low, high, padding=0)
        self._draw_grid()

    def show_view(self, view: View) -> None:
        """Show a part of the recording."""
        self.view = view
        self.getPlotItem().getViewBox().setXRange(view.start, view.stop, padding=0)

    @property
    def pixels(self) -> int:
        """The width of what is drawn on, in logical pixels."""
        return max(1, round(self._area().width()))

    @property
    def is_dense(self) -> bool:
        """Whether strides run into each other."""
        return self.view.span / self.pixels > DENSE_S

    def pen_of(self, side: str) -> QPen:
        """Give the pen of a knee."""
        pen: QPen = pg.mkPen(theme().palette.colour(side), width=1.75)
        return pen

    # --- what hands do

    def _area(self) -> QRect:
        box = self.getPlotItem().getViewBox()
        rect: QRect = self.mapFromScene(box.sceneBoundingRect()).boundingRect()
        return rect

    def _second_at(self, x: float) -> float:
        area = self._area()
        return self.view.start + (x - area.left()) / max(1, area.width()) * self.view.span

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer, or move; over all of a recording the wheel scrolls the page."""
        across, up = event.angleDelta().x(), event.angleDelta().y()
        sideways = abs(across) > abs(up) or bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self._is_live or (self.span.is_whole(self.view) and (sideways or up < 0)):
            event.ignore()
            return
        event.accept()
        if sideways:
            self.viewed.emit(self.span.moved(self.view, -(across or up) / max(1, self.pixels)))
        else:
            around = self._second_at(event.position().x())
            self.viewed.emit(self.span.zoomed(self.view, math.exp(-up * WHEEL_SPEED), around))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to draw a range."""
        if event.button() == Qt.MouseButton.LeftButton and not self._is_live:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the range that is drawn, and what is under the pointer."""
        area, at = self._area(), event.position().toPoint()
        if self._pressed is not None:
            left, right = sorted((self._pressed.x(), min(max(at.x(), area.left()), area.right())))
            self._band.setGeometry(left, area.top(), right - left, area.height())
            self._band.setVisible(right - left >= LEAST_DRAG)
        self._point(self._second_at(at.x()) if area.contains(at) else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show the range that was drawn."""
        if self._pressed is not None and self._band.isVisible():
            rect = self._band.geometry()
            self._band.hide()
            view = View(self._second_at(rect.left()), self._second_at(rect.right()))
            self.viewed.emit(self.span.clamped(view))
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all of it."""
        if not self._is_live:
            self.viewed.emit(self.span.whole)

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        self._point(None)

    def _point(self, second: float | None) -> None:
        if self._is_live:
            return
        self._cursor.setVisible(second is not None)
        if second is not None:
            self._cursor.setPos(second)
        self.pointed.emit(second)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom and move by keys."""
        view = self._view_by(event.key())
        if view is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
        else:
            self.viewed.emit(view)

    def _view_by(self, key: int) -> View | None:
        keys, span, view = Qt.Key, self.span, self.view
        if key in (keys.Key_Plus, keys.Key_Equal):
            return span.zoomed(view, 1 / STEP)
        if key == keys.Key_Minus:
            return span.zoomed(view, STEP)
        if key in (keys.Key_Left, keys.Key_Right):
            return span.moved(view, PAN if key == keys.Key_Right else -PAN)
        return span.whole if key == keys.Key_0 else None

    def focusInEvent(self, event: Any) -> None:
        """Show that keys come here."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: Any) -> None:
        """Show that they do no longer."""
        super().focusOutEvent(event)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """Ask for room to see something."""
        return QSize(600, 320)
