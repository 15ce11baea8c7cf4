"""Which colour is which knee."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from motion.desktop.style.fonts import font
from motion.desktop.style.theme import theme

LINE, GAP, BETWEEN = 14, 6, 14


class Legend(QWidget):
    """The knees that are drawn."""

    def __init__(self, sides: list[str]) -> None:
        super().__init__()
        self._sides = sides
        self.setFixedSize(self._needed())
        theme().changed.connect(self.update)

    def _needed(self) -> QSize:
        metrics = QFontMetrics(font(13))
        width = sum(LINE + GAP + metrics.horizontalAdvance(side.title()) + BETWEEN for side in self._sides)
        return QSize(width, 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter, x = QPainter(self), 0.0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(13))
        for side in self._sides:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().palette.colour(side))
            painter.drawRoundedRect(QRectF(x, 9.5, LINE, 3), 1.5, 1.5)
            painter.setPen(theme().palette.colour("ink_2"))
            width = painter.fontMetrics().horizontalAdvance(side.title())
            painter.drawText(QRectF(x + LINE + GAP, 0, width + 2, 22), Qt.AlignmentFlag.AlignVCenter, side.title())
            x += LINE + GAP + width + BETWEEN
