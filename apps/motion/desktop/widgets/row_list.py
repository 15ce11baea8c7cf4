"""A list of people or sessions: a disc, two lines, a badge, and a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.icons import paint_icon
from motion.desktop.style.painting import paint_disc, paint_focus, paint_text
from motion.desktop.style.theme import theme
from motion.desktop.widgets.texts import Tone
from motion.desktop.words.naming import Row
from synovia_qt import ROW_ROLE

Index = QModelIndex | QPersistentModelIndex
HEIGHT, MENU, ASIDE = 64, 44, 130
TONES: dict[str, tuple[str, str]] = {
    "neutral": ("hover", "ink_2"),
    "accent": ("accent_soft", "accent_strong"),
    "good": ("good_soft", "good"),
    "warn": ("warn_soft", "warn"),
    "bad": ("bad_soft", "bad"),
}


@dataclass(frozen=True)
class Look:
    """How a row looks.

    Attributes:
        name: Whose disc it has, and what stands in the first line.
        words: The second line.
        badge: A word on a coloured ground, and its tone.
        aside: What stands to the right, where there is room.
        has_menu: Whether there is something to be done with it.
        leads: Whether it leads somewhere.
    """

    name: str
    words: str
    badge: tuple[str, Tone] | None = None
    aside: str = ""
    has_menu: bool = False
    leads: bool = False


class _RowPainter(QStyledItemDelegate):
    def __init__(self, look: Callable[[Row], Look], parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        palette, look, rect = theme().palette, self._look(index.data(ROW_ROLE)), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_MouseOver and (look.has_menu or look.leads):
            painter.fillRect(rect, palette.colour("hover"))
        if index.row():
            painter.setPen(QPen(palette.colour("line"), 1))
            painter.drawLine(rect.topLeft(), rect.topRight())
        paint_disc(painter, QRectF(rect.left() + 14, rect.top() + 12, 40, 40), look.name)
        right = self._paint_right(painter, rect, look)
        width = right - rect.left() - 68 - 12
        first = QRectF(rect.left() + 68, rect.top() + 12, width, 21)
        paint_text(painter, first, look.name, palette.colour("ink"), font(14, SEMIBOLD))
        paint_text(painter, first.translated(0, 20), look.words, palette.colour("ink_3"), font(13))
        if option.state & QStyle.StateFlag.State_HasFocus:
            paint_focus(painter, rect.adjusted(2, 2, -2, -2), 8)
        painter.restore()

    def _paint_right(self, painter: QPainter, rect: QRectF, look: Look) -> float:
        """Draw what stands to the right, and tell where that begins."""
        palette, right = theme().palette, rect.right() - 14
        if look.has_menu or look.leads:
            name = "more" if look.has_menu else "chevron"
            area = QRectF(rect.right() - MENU + 12, rect.center().y() - 9, 18, 18)
            paint_icon(painter, name, area, palette.colour("ink_2"))
            right = rect.right() - MENU
        if look.aside and rect.width() > 560:
            area = QRectF(right - ASIDE, rect.top(), ASIDE - 6, rect.height())
            paint_text(painter, area, look.aside, palette.colour("ink_3"), font(13), Qt.AlignmentFlag.AlignRight)
            right -= ASIDE
        if look.badge is not None:
            right = _paint_badge(painter, rect, right, *look.badge)
        return right


def _paint_badge(painter: QPainter, rect: QRectF, right: float, words: str, tone: str) -> float:
    ground, ink = TONES[tone]
    width = QFontMetricsF(font(12, SEMIBOLD)).horizontalAdvance(words) + 20
    area = QRectF(right - width - 6, rect.center().y() - 11, width, 22)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().palette.colour(ground))
    painter.drawRoundedRect(area, 11, 11)
    painter.setPen(theme().palette.colour(ink))
    painter.setFont(font(12, SEMIBOLD))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
    return area.left()


class RowList(QListView):
    """The list, in a frame.

    Args:
        model: A live list, or what is shown of it.
        look: Tells how a row looks.

    Attributes:
        opened: Emitted with a row that somebody opens.
        asked: Emitted with a row and where its menu is to be.
    """

    opened = Signal(object)
    asked = Signal(object, QPoint)

    def __init__(self, model: QAbstractItemModel, look: Callable[[Row], Look], name: str) -> None:
        super().__init__()
        self._look = look
        self.setObjectName("rows")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setModel(model)
        self.setItemDelegate(_RowPainter(look, self))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme().changed.connect(self.viewport().update)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset, model.layoutChanged):
            signal.connect(lambda *_: self._fit())
        self._fit()

    def _fit(self) -> None:
        """Be as high as the rows, up to what there is room for."""
        self.setMaximumHeight(self.sizeHint().height())
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Ask for room for all rows."""
        return QSize(400, max(1, self.model().rowCount()) * HEIGHT + 4)

    def minimumSizeHint(self) -> QSize:
        """Make do with two."""
        return QSize(200, min(2, max(1, self.model().rowCount())) * HEIGHT + 4)

    def _row(self, index: Index) -> Row:
        row: Row = index.data(ROW_ROLE)
        return row

    def _ask(self, index: QModelIndex) -> None:
        look, rect = self._look(self._row(index)), self.visualRect(index)
        if look.has_menu:
            self.asked.emit(self._row(index), self.viewport().mapToGlobal(rect.bottomRight() - QPoint(10, 8)))
        elif look.leads:
            self.opened.emit(self._row(index))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open a row, or its menu where the dots are."""
        super().mouseReleaseEvent(event)
        at = event.position().toPoint()
        index = self.indexAt(at)
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        look = self._look(self._row(index))
        if look.leads or (look.has_menu and at.x() > self.viewport().width() - MENU - 6):
            self._ask(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of a row, by the other button or the key for menus."""
        index = self.indexAt(event.pos()) if event.reason() == QContextMenuEvent.Reason.Mouse else self.currentIndex()
        if index.isValid():
            self._ask(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open a row or its menu by Enter."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and index.isValid():
            self._ask(index)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Leave letters to the window: they lead to places."""

    def viewportEvent(self, event: QEvent) -> bool:
        """Show a hand over what can be pressed."""
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            index = self.indexAt(event.position().toPoint())
            leads = index.isValid() and self._look(self._row(index)).leads
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if leads else Qt.CursorShape.ArrowCursor)
        return super().viewportEvent(event)
