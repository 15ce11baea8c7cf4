"""Labels: texts with a role, badges, and one line that ends in an ellipsis where there is no room."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from motion.desktop.style.icons import paint_icon, paint_mark
from motion.desktop.style.painting import paint_disc
from motion.desktop.style.theme import theme

Tone = Literal["neutral", "accent", "good", "warn", "bad", "count", "live"]


def text(words: str, role: str = "body", *, wraps: bool = False, parent: QWidget | None = None) -> QLabel:
    """Make a text; its role says how it looks."""
    label = Paragraph(words, parent) if wraps else QLabel(words, parent)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


class Paragraph(QLabel):
    """A text of several lines, which is as high as it needs to be at the width that it gets, in every layout."""

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def hasHeightForWidth(self) -> bool:
        """Say no: layouts that align their items would ask once, and for a width that nobody gets."""
        return False

    def sizeHint(self) -> QSize:
        """Ask for the height of the text at this width."""
        return QSize(super().sizeHint().width(), self._height())

    def minimumSizeHint(self) -> QSize:
        """Need the same height."""
        return QSize(40, self._height())

    def _height(self) -> int:
        return max(super().heightForWidth(max(self.width(), 40)), self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask again when the width is another."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


def badge(words: str, tone: Tone = "neutral") -> QLabel:
    """Make a small text on a coloured ground."""
    label = QLabel(words)
    label.setProperty("tone", tone)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return label


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Change a property that the sheet looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def divider() -> QFrame:
    """Make a thin line."""
    line = QFrame()
    line.setObjectName("divider")
    return line


class ElidedLabel(QLabel):
    """One line of text, as much of it as there is room for; all of it as a tip."""

    def __init__(self, words: str = "", role: str = "body") -> None:
        super().__init__()
        self._words = ""
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_words(words)

    @property
    def words(self) -> str:
        """All of the text."""
        return self._words

    def set_words(self, words: str) -> None:
        """Show another text."""
        if words != self._words:
            self._words = words
            self.setAccessibleName(words)
            self._fit()
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Ask for room for all of it."""
        return QSize(self.fontMetrics().horizontalAdvance(self._words) + 2, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Make do with an ellipsis."""
        return QSize(20, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, max(self.width(), 20))
        super().setText(shown)
        self.setToolTip(self._words if shown != self._words else "")


class Disc(QWidget):
    """Somebody's initials on a disc."""

    def __init__(self, name: str, size: int = 36) -> None:
        super().__init__()
        self._name = name
        self.setFixedSize(size, size)
        theme().changed.connect(self.update)

    def set_name(self, name: str) -> None:
        """Show somebody else."""
        self._name = name
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_disc(painter, QRectF(self.rect()), self._name)


class Picture(QWidget):
    """An icon, or the mark of the product, on a disc if one is asked for."""

    def __init__(self, name: str, size: int = 18, ink: str = "ink_3", *, on_disc: bool = False) -> None:
        super().__init__()
        self._name, self._size, self._ink, self._on_disc = name, size, ink, on_disc
        side = round(size * 2.3) if on_disc else size
        self.setFixedSize(side, side)
        theme().changed.connect(self.update)

    def show_icon(self, name: str, ink: str) -> None:
        """Show another icon."""
        self._name, self._ink = name, ink
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        if self._name == "mark":
            paint_mark(painter, rect)
            return
        if self._on_disc:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().palette.colour("accent_soft"))
            painter.drawEllipse(rect)
            inset = (rect.width() - self._size) / 2
            rect.adjust(inset, inset, -inset, -inset)
        paint_icon(painter, self._name, rect, theme().palette.colour(self._ink))
