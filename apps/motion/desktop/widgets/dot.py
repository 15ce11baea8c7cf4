"""A small disc that tells a state by its colour."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from motion.desktop.style.theme import theme


class Dot(QWidget):
    """A small disc of some colour."""

    def __init__(self, ink: str) -> None:
        super().__init__()
        self._ink = ink
        self.setFixedSize(8, 8)
        theme().changed.connect(self.update)

    def show_ink(self, ink: str) -> None:
        """Be of another colour."""
        self._ink = ink
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().palette.colour(self._ink))
        painter.drawEllipse(QRectF(self.rect()))
