"""All of a recording in one strip, with a frame around what the plot shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QCursor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from motion.desktop.plot.view import Span, View
from motion.desktop.style.theme import theme

Floats = NDArray[np.float64]
PAD, GRIP = 4, 7


class Overview(QWidget):
    """The strip; ``viewed`` is emitted with the view that somebody drags the frame to."""

    viewed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.span = Span(1, 1.0)
        self._view = View(0.0, 1.0)
        self._bounds = (0.0, 1.0)
        self._outlines: dict[str, Floats] = {}
        self._drag: tuple[str, float, View] | None = None
        self.setFixedHeight(46)
        self.setMouseTracking(True)
        theme().changed.connect(self.update)

    def show_outlines(self, outlines: dict[str, Floats], bounds: tuple[float, float]) -> None:
        """Show the outlines of the knees: least and largest of each part, one after the other, flexion positive."""
        self._outlines, self._bounds = outlines, bounds
        self.update()

    def show_view(self, view: View) -> None:
        """Put the frame around a view."""
        self._view = view
        self.update()

    def _x(self, second: float) -> float:
        return second / self.span.whole.stop * self.width()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the strip and the frame."""
        palette, painter = theme().palette, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(whole, 6, 6)
        painter.setClipPath(shape)
        painter.fillPath(shape, palette.colour("sunken"))
        for side in ("right", "left"):
            if side in self._outlines:
                self._paint_outline(painter, self._outlines[side], side)
        frame = QRectF(self._x(self._view.start), 0, self._x(self._view.span), self.height()).intersected(whole)
        rest = palette.colour("sunken")
        rest.setAlpha(175)
        painter.fillRect(QRectF(0, 0, frame.left(), self.height()), rest)
        painter.fillRect(QRectF(frame.right(), 0, self.width(), self.height()), rest)
        painter.setClipping(False)
        painter.setPen(QPen(palette.colour("accent"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _paint_outline(self, painter: QPainter, outline: Floats, side: str) -> None:
        low, high = self._bounds
        room = self.height() - 2 * PAD
        count = max(1, len(outline) - 1)
        ys = self.height() - PAD - (outline - low) / max(high - low, 1e-9) * room
        known = ~np.isnan(ys)
        points = [QPointF(place / count * self.width(), float(ys[place])) for place in np.flatnonzero(known)]
        colour = theme().palette.colour(side)
        colour.setAlpha(90 if len(outline) > 2 * self.width() else 220)
        painter.setPen(QPen(colour, 1))
        painter.drawPolyline(QPolygonF(points))

    # --- the frame is moved

    def _grip_at(self, x: float) -> str:
        left, right = self._x(self._view.start), self._x(self._view.stop)
        if self.span.is_whole(self._view):
            return "start" if x < GRIP else "stop" if x > self.width() - GRIP else "new"
        if abs(x - left) <= GRIP:
            return "start"
        if abs(x - right) <= GRIP:
            return "stop"
        return "both" if left < x < right else "jump"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the frame or of an end of it, or have it come here."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        grip = self._grip_at(x)
        if grip == "jump":
            middle, half = x / self.width() * self.span.whole.stop, self._view.span / 2
            self.viewed.emit(self.span.clamped(View(middle - half, middle + half)))
            grip = "both"
        self._drag = (grip, x, self._view)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what was taken hold of."""
        x = event.position().x()
        if self._drag is None:
            shape = {"both": Qt.CursorShape.OpenHandCursor, "jump": Qt.CursorShape.PointingHandCursor}
            self.setCursor(QCursor(shape.get(self._grip_at(x), Qt.CursorShape.SizeHorCursor)))
            return
        grip, begun, view = self._drag
        second = self.span.whole.stop / self.width()
        by = (x - begun) * second
        ends = {
            "both": (view.start + by, view.stop + by),
            "start": (view.start + by, view.stop),
            "stop": (view.start, view.stop + by),
            "new": (begun * second, x * second),
        }[grip]
        self.viewed.emit(self.span.clamped(View(min(ends), max(ends))))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all of it."""
        self.viewed.emit(self.span.whole)
