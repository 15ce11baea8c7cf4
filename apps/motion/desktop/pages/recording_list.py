"""The list of the recordings of a place, under the headings of their days."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from motion.desktop.models.context import Context
from motion.desktop.models.recordings import Index, ShownRecordings
from motion.desktop.pages.recording_row import HEADING, RecordingRow
from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.painting import paint_text
from motion.desktop.style.theme import theme

TABS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class RecordingList(QListView):
    """The list.

    Attributes:
        chosen: Emitted with the id of a recording that somebody comes to.
        opened: Emitted with the id of one that somebody opens: by Enter or a click.
    """

    chosen = Signal(str)
    opened = Signal(str)

    def __init__(self, shown: ShownRecordings, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = shown
        self.open_id: str | None = None
        self.setModel(shown)
        self.setItemDelegate(RecordingRow(shown, context.outlines, lambda: self.open_id, self))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        self.setMouseTracking(True)
        self.setAccessibleName("Recordings")
        self.verticalScrollBar().setSingleStep(24)
        shown.shownChanged.connect(self._lay_out)
        context.outlines.came.connect(self.viewport().update)
        theme().changed.connect(self.viewport().update)

    def show_open(self, recording_id: str | None) -> None:
        """Mark the recording that is open beside the list, and come to it."""
        self.open_id = recording_id
        index = self._shown.find(recording_id)
        if index.isValid() and self.currentIndex() != index:
            self.setCurrentIndex(index)
            self.scrollTo(index)
        elif not index.isValid():
            self.setCurrentIndex(QModelIndex())
        self.viewport().update()

    def _lay_out(self) -> None:
        """Rows may be of another height: headings come and go with the rows above."""
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell where somebody came to."""
        super().currentChanged(current, previous)
        if current.isValid() and self.hasFocus():
            self.chosen.emit(str(self._shown.row(current)["_id"]))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open what is clicked."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(str(self._shown.row(index)["_id"]))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose no row for who has not come here by the keyboard: that would open it."""
        if self.currentIndex().isValid() or event.reason() in TABS:
            super().focusInEvent(event)
        else:
            self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open by Enter; the first row by an arrow when none is chosen."""
        index = self.currentIndex()
        editing = self.state() == QAbstractItemView.State.EditingState
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid() and not editing:
            self.opened.emit(str(self._shown.row(index)["_id"]))
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and not index.isValid() and self._shown.rowCount():
            self.setCurrentIndex(self._shown.index(0, 0))
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Leave letters to the window: they lead to places."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, and over them the heading of those that are uppermost."""
        super().paintEvent(event)
        top = self.indexAt(self.viewport().rect().topLeft())
        if not top.isValid() or self.verticalScrollBar().value() == 0:
            return
        words = self._shown.day_of(top)
        if words is None:
            return
        below = self._shown.index(top.row() + 1, 0)
        push = 0  # the next heading pushes this one out
        if below.isValid() and self._shown.heading(below) is not None:
            push = min(0, self.visualRect(below).top() - HEADING)
        painter = QPainter(self.viewport())
        ground = theme().palette.colour("surface")
        ground.setAlpha(240)
        painter.fillRect(QRectF(0, push, self.viewport().width(), HEADING), ground)
        area = QRectF(18, push + 6, self.viewport().width() - 36, HEADING - 8)
        paint_text(painter, area, words, theme().palette.colour("ink_3"), font(12, SEMIBOLD))
