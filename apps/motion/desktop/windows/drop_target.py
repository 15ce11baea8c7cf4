"""Takes files that are dropped anywhere on the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from motion.desktop.style.fonts import SEMIBOLD, font
from motion.desktop.style.icons import paint_icon
from motion.desktop.style.theme import theme

ICON = 40


class DropTarget(QWidget):
    """Covers the window while files are over it.

    Args:
        window: Over what it lies.
        take: Called with the files that are dropped.
    """

    def __init__(self, window: QWidget, take: Callable[[list[Path]], object]) -> None:
        super().__init__(window)
        self._window, self._take = window, take
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show that files can be dropped, and take them."""
        kind = event.type()
        if isinstance(event, (QDragEnterEvent, QDragMoveEvent)) and kind in (
            QEvent.Type.DragEnter,
            QEvent.Type.DragMove,
        ):
            if files_in(event.mimeData()):
                event.acceptProposedAction()
                self._cover()
                return True
        elif kind == QEvent.Type.DragLeave:
            self.hide()
        elif isinstance(event, QDropEvent) and kind == QEvent.Type.Drop:
            self.hide()
            files = files_in(event.mimeData())
            if files:
                event.acceptProposedAction()
                self._take(files)
                return True
        return False

    def _cover(self) -> None:
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw where files may be dropped: everywhere."""
        palette, painter = theme().palette, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(12, 12, -12, -12)
        ground = palette.colour("surface")
        ground.setAlpha(225)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(palette.colour("accent"), 2.5, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(rect, 16, 16)
        centre = rect.center()
        paint_icon(
            painter, "upload", QRectF(centre.x() - ICON / 2, centre.y() - 64, ICON, ICON), palette.colour("accent")
        )
        painter.setPen(palette.colour("accent"))
        painter.setFont(font(20, SEMIBOLD))
        line = QRectF(rect.left(), centre.y() - 14, rect.width(), 30)
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, "Drop to import")
        painter.setPen(palette.colour("ink_3"))
        painter.setFont(font())
        words = "Knee angles as .mot, .csv, .xlsx, .c3d or .mvnx"
        painter.drawText(line.translated(0, 30), Qt.AlignmentFlag.AlignCenter, words)


def files_in(data: QMimeData) -> list[Path]:
    """List the files of this machine that are dragged; folders are none."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.is_file()]
