"""The frame of the pages before the desk: what it is on one side, the way in on the other."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QRadialGradient, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.icons import paint_mark
from motion.desktop.widgets.layouts import scrolled

BENDS = ((14.0, 0.14, 0.075), (58.0, 0.73, 0.095))
STANDING, STRIDES, POINTS = 4.0, 3.0, 240
NARROW = 860
CARD_WIDTH = 400


def flexion_at(strides: float) -> float:
    """Give the flexion of a walking knee, in degrees, at a time in strides."""
    phase = strides - math.floor(strides)
    bells = (
        angle * math.exp(-0.5 * ((phase - centre - turn) / width) ** 2)
        for angle, centre, width in BENDS
        for turn in (-1, 0, 1)
    )
    return STANDING + sum(bells)


class Story(QWidget):
    """Two knees over three strides, and what the desk is for."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height = float(self.width()), float(self.height())
        ground = QRadialGradient(QPointF(width * 0.2, height * 0.1), max(width, height))
        for place, colour in ((0.0, "#14777d"), (0.48, "#0b4c52"), (1.0, "#07353a")):
            ground.setColorAt(place, QColor(colour))
        painter.fillRect(self.rect(), ground)
        paint_mark(painter, QRectF(48, 40, 34, 34))
        painter.setPen(QColor("#eefaf8"))
        painter.setFont(font(19, SEMIBOLD))
        painter.drawText(QRectF(94, 40, width - 140, 34), Qt.AlignmentFlag.AlignVCenter, "Motion Desk")
        room = QRectF(48, 0, width - 96, min(height * 0.34, 300.0))
        room.moveCenter(QPointF(width / 2, height * 0.46))
        for shift, colour, alpha in ((0.6, "#8cc7ee", 190), (0.1, "#f5ab93", 255)):
            self._paint_knee(painter, room, shift, QColor(colour), alpha)
        self._paint_words(painter, width, height)

    def _paint_knee(self, painter: QPainter, room: QRectF, shift: float, colour: QColor, alpha: int) -> None:
        colour.setAlpha(alpha)
        painter.setPen(QPen(colour, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        points = [
            QPointF(
                room.left() + part * room.width(),
                room.bottom() - flexion_at(part * STRIDES + shift) / 72 * room.height(),
            )
            for part in (number / POINTS for number in range(POINTS + 1))
        ]
        painter.drawPolyline(QPolygonF(points))

    def _paint_words(self, painter: QPainter, width: float, height: float) -> None:
        painter.setPen(QColor("#eefaf8"))
        painter.setFont(font(26, SEMIBOLD))
        words = "Every step, measured once.\nSeen by everyone who helps."
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(48, height - 260, width - 96, 180), int(left), words)
        painter.setPen(QColor("#b6dcd9"))
        painter.setFont(font(14))
        words = "Knee motion, left and right, at a hundred samples a second."
        painter.drawText(QRectF(48, height - 72, width - 96, 40), int(Qt.AlignmentFlag.AlignTop), words)


class Entrance(QWidget):
    """The two sides."""

    def __init__(self, card: QWidget) -> None:
        super().__init__()
        self._story = Story()
        card.setFixedWidth(CARD_WIDTH)
        inside = QFrame()
        centre = QVBoxLayout(inside)
        centre.setContentsMargins(32, 32, 32, 32)
        centre.addStretch(1)
        centre.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        centre.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._story, 11)
        layout.addWidget(scrolled(inside), 10)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the way in only, where there is little room."""
        super().resizeEvent(event)
        self._story.setVisible(self.width() >= NARROW)
