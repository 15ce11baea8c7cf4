"""How a recording is drawn in a list, and how its title is edited there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPolygonF
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from motion.desktop.models.outlines import Outlines
from motion.desktop.models.people import People
from motion.desktop.models.recordings import ShownRecordings
from motion.desktop.plot.numbers import Floats, extremes_of, flexion_sign
from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.icons import paint_icon
from motion.desktop.style.painting import paint_chips, paint_disc, paint_focus, paint_line, paint_side, paint_text
from motion.desktop.style.theme import theme
from motion.desktop.words.naming import Row, sides_of, title_of, with_title
from motion.desktop.words.times import duration, time_of_day
from synovia_qt import ROW_ROLE

Index = QModelIndex | QPersistentModelIndex
HEADING, ROW, REASON = 34, 84, 18
PICTURE_WIDTH, PICTURE_HEIGHT = 84, 24
ASIDE = 96
RIGHT = Qt.AlignmentFlag.AlignRight


class RecordingRow(QStyledItemDelegate):
    """Draws who was measured, what it goes by, its tags, when and how long, and the outline of its curves.

    Args:
        shown: The rows, with their headings.
        outlines: Where outlines come from.
        opened: Tells which recording is open beside the list.
    """

    def __init__(
        self, shown: ShownRecordings, outlines: Outlines, opened: Callable[[], str | None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self._outlines = outlines
        self._opened = opened

    @property
    def _people(self) -> People:
        return self._shown.people

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Tell how high a row is, with the heading above it."""
        row: Row = index.data(ROW_ROLE)
        heading = HEADING if self._shown.heading(index) is not None else 0
        return QSize(200, heading + ROW + (REASON if row.get("archiveReason") else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: Row = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        heading = self._shown.heading(index)
        if heading is not None:
            area = QRectF(rect.left() + 18, rect.top() + 6, rect.width() - 36, HEADING - 8)
            paint_text(painter, area, heading, theme().palette.colour("ink_3"), font(12, SEMIBOLD))
            rect.setTop(rect.top() + HEADING)
        body = rect.adjusted(8, 0, -8, -2)
        self._paint_ground(painter, body, option, str(row["_id"]))
        self._paint_row(painter, body.adjusted(10, 9, -10, -8), row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, body: QRectF, option: QStyleOptionViewItem, recording_id: str) -> None:
        palette, state = theme().palette, option.state
        painter.setPen(Qt.PenStyle.NoPen)
        if recording_id == self._opened():
            painter.setBrush(palette.colour("accent_soft"))
            painter.drawRoundedRect(body, 10, 10)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(palette.colour("hover"))
            painter.drawRoundedRect(body, 10, 10)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            paint_focus(painter, body, 10)

    def _paint_row(self, painter: QPainter, area: QRectF, row: Row) -> None:
        palette, people = theme().palette, self._people
        owner, subject = people.owner_of(row), people.subject_of(row)
        is_of_me = self._shown.place == "of-me"
        paint_disc(painter, QRectF(area.left(), area.top(), 36, 36), owner if owner and is_of_me else subject)
        words = QRectF(area.left() + 48, area.top() - 1, area.width() - 48 - ASIDE, 20)
        paint_text(painter, words, title_of(row), palette.colour("ink"), font(14, SEMIBOLD))
        words.translate(0, 20)
        paint_text(painter, words, self._who(row, subject, owner), palette.colour("ink_3"), font(13))
        words.translate(0, 24)
        if row.get("archiveReason"):
            paint_text(painter, words, f"“{row['archiveReason']}”", palette.colour("warn"), font(13))
            words.translate(0, REASON + 2)
        paint_chips(painter, words, list(row.get("tags") or ()))
        self._paint_aside(
            painter, QRectF(area.right() - ASIDE + 6, area.top() - 1, ASIDE - 6, area.height()), row, owner
        )

    def _who(self, row: Row, subject: str, owner: str | None) -> str:
        exercise = f" · {row['exerciseType']}" if row.get("exerciseType") else ""
        if owner is None:
            return subject + exercise
        return (f"by {owner}" if self._shown.place == "of-me" else f"{subject} · by {owner}") + exercise

    def _paint_aside(self, painter: QPainter, area: QRectF, row: Row, owner: str | None) -> None:
        palette = theme().palette
        line = QRectF(area.left(), area.top(), area.width(), 20)
        paint_text(painter, line, time_of_day(row["startTime"]), palette.colour("ink_2"), font(13), RIGHT)
        line.translate(0, 20)
        paint_text(painter, line, duration(row["durationMs"]), palette.colour("ink_3"), font(13), RIGHT)
        x = line.left()
        for side in sides_of(row):
            paint_side(painter, QRectF(x, line.top() + 3, 15, 15), side)
            x += 18
        if row.get("sharedWith") and owner is None:
            paint_icon(painter, "share", QRectF(area.left(), area.top() + 3, 13, 13), palette.colour("ink_3"))
            many = QRectF(area.left() + 16, area.top(), 30, 20)
            paint_text(painter, many, str(len(row["sharedWith"])), palette.colour("ink_3"), font(12))
        self._paint_curves(
            painter, QRectF(area.right() - PICTURE_WIDTH, area.top() + 43, PICTURE_WIDTH, PICTURE_HEIGHT), row
        )

    def _paint_curves(self, painter: QPainter, area: QRectF, row: Row) -> None:
        found = {side: self._outlines.of(row[f"{side}Knee"], row["sampleRate"]) for side in sides_of(row)}
        known = {side: outline for side, outline in found.items() if outline is not None and len(outline) > 1}
        extremes = [each for outline in known.values() if (each := extremes_of(outline)) is not None]
        if not extremes:
            return
        sign = flexion_sign(*extremes)
        low = min(each.least for each in extremes)
        high = max(each.largest for each in extremes)
        for side in ("right", "left"):
            if side in known:
                points = _points(known[side], area, low, high, sign)
                colour = theme().palette.colour(side)
                colour.setAlpha(215)
                paint_line(painter, points, colour, 1.25)

    # --- editing the title

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Make the field in which the title is edited."""
        editor = QLineEdit(parent)
        editor.setProperty("look", "inline")
        editor.setMaxLength(500)
        editor.setAccessibleName("Title")
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Begin with the title, unless somebody has begun to write."""
        if isinstance(editor, QLineEdit) and not editor.isModified():
            row: Row = index.data(ROW_ROLE)
            editor.setText(title_of(row) if row.get("notes") else "")
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Save the title as the first line of the notes."""
        if not isinstance(editor, QLineEdit):
            return
        row: Row = index.data(ROW_ROLE)
        notes = with_title(row, editor.text().strip())
        if notes != (row.get("notes") or ""):
            model.setData(QModelIndex(index) if isinstance(index, QModelIndex) else model.index(index.row(), 0), notes)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Put the field over the title."""
        rect = option.rect
        top = rect.top() + (HEADING if self._shown.heading(index) is not None else 0)
        editor.setGeometry(rect.left() + 58, top + 3, rect.width() - 8 - 58 - ASIDE - 4, 28)


def _points(outline: Floats, area: QRectF, low: float, high: float, sign: int) -> QPolygonF:
    span, width = max(high - low, 1e-9), area.width() / max(1, len(outline) - 1)
    points = []
    for place in np.flatnonzero(~np.isnan(outline)):
        part = (float(outline[place]) - low) / span
        points.append(
            QPointF(area.left() + place * width, area.bottom() - (part if sign > 0 else 1 - part) * area.height())
        )
    return QPolygonF(points)
