"""What is under the pointer: the moment, and the angle of each knee."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.theme import theme
from motion.desktop.words.times import degrees

GAP = 12.0


class Readout(QWidget):
    """A small plate over the plot's upper right corner."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._parts: list[tuple[str, str]] = []
        self.hide()

    def tell(self, moment: str, angles: dict[str, float | None]) -> None:
        """Show a moment and the angles there."""
        self._parts = [(moment, "ink_2"), *((degrees(angle), side) for side, angle in angles.items())]
        metrics = QFontMetricsF(font(12, SEMIBOLD))
        widths = [max(metrics.horizontalAdvance(words), 38.0) for words, _ in self._parts]
        width = round(sum(widths) + GAP * (len(widths) - 1) + 22)
        parent = self.parentWidget()
        right = parent.width() if parent is not None else width
        self.setGeometry(right - width - 26, 6, width, 25)
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        palette, painter = theme().palette, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(palette.colour("line_strong"), 1))
        painter.setBrush(palette.colour("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
        x, metrics = 11.0, QFontMetricsF(font(12, SEMIBOLD))
        for number, (words, ink) in enumerate(self._parts):
            painter.setFont(font(12, SEMIBOLD) if number else font(12))
            painter.setPen(palette.colour(ink))
            width = max(metrics.horizontalAdvance(words), 38.0)
            painter.drawText(QRectF(x, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            x += width + GAP
