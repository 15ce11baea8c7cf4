"""What delegates and small widgets draw alike: discs with initials, chips, texts that end in an ellipsis."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.palette import disc_colours
from motion.desktop.style.theme import theme
from motion.desktop.words.naming import initials

CHIP_HEIGHT = 21.0


def paint_disc(painter: QPainter, rect: QRectF, name: str) -> None:
    """Draw somebody's initials on a disc of their own colour."""
    ground, ink = disc_colours(name, is_dark=theme().is_dark)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawEllipse(rect)
    painter.setPen(ink)
    painter.setFont(font(round(rect.width() * 0.38), SEMIBOLD))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials(name))


def paint_text(
    painter: QPainter,
    rect: QRectF,
    text: str,
    colour: QColor,
    face: QFont,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Draw one line of text, as much of it as there is room for."""
    painter.setFont(face)
    painter.setPen(colour)
    shown = QFontMetricsF(face).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, align | Qt.AlignmentFlag.AlignVCenter, shown)


def chip_width(text: str) -> float:
    """Tell how wide a chip with a text is."""
    return QFontMetricsF(font(12)).horizontalAdvance(text) + 16


def paint_chip(painter: QPainter, at: QPointF, text: str, ground: QColor, ink: QColor) -> float:
    """Draw a chip, and tell how wide it is."""
    width = chip_width(text)
    rect = QRectF(at.x(), at.y(), width, CHIP_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(rect, CHIP_HEIGHT / 2, CHIP_HEIGHT / 2)
    painter.setPen(ink)
    painter.setFont(font(12))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    return width


def paint_chips(painter: QPainter, rect: QRectF, texts: list[str]) -> None:
    """Draw chips side by side, as many as there is room for, and how many more there are."""
    palette = theme().palette
    ground, ink, x = palette.colour("hover"), palette.colour("ink_2"), rect.left()
    for place, text in enumerate(texts):
        rest = len(texts) - place - 1
        reserve = chip_width(f"+{rest}") + 5 if rest else 0.0
        if x + chip_width(text) + reserve > rect.right():
            if x + chip_width(f"+{rest + 1}") <= rect.right():
                paint_chip(painter, QPointF(x, rect.top()), f"+{rest + 1}", ground, ink)
            return
        x += paint_chip(painter, QPointF(x, rect.top()), text, ground, ink) + 5


def paint_side(painter: QPainter, rect: QRectF, side: str) -> None:
    """Draw the letter of a knee that was measured, in its colour."""
    palette = theme().palette
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.colour(f"{side}_band"))
    painter.drawRoundedRect(rect, 4, 4)
    painter.setPen(palette.colour(side))
    painter.setFont(font(10, QFont.Weight.Bold))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, side[0].upper())


def paint_line(painter: QPainter, points: QPolygonF, colour: QColor, width: float) -> None:
    """Draw a line through points."""
    painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(points)


def paint_focus(painter: QPainter, rect: QRectF, radius: float) -> None:
    """Draw the ring around what has the focus."""
    painter.setPen(QPen(theme().palette.colour("accent"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)
