"""What is shown where nothing is: nothing yet, nothing at all."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRectF, Qt, QTimer
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QLayout, QSizePolicy, QVBoxLayout, QWidget

from motion.desktop.style.theme import theme
from motion.desktop.widgets.texts import Picture, text

FRAME_MS = 33
SHIMMER_MS = 1_600


class Empty(QWidget):
    """A picture, what is missing, why, and what can be done about it."""

    def __init__(self, icon_name: str, title: str, words: str = "", actions: QLayout | None = None) -> None:
        super().__init__()
        self._title = text(title, "section")
        self._title.setStyleSheet("font-size: 16px;")
        self._words = text(words, "muted", wraps=True)
        self._words.setFixedWidth(320)
        for label in (self._title, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 40, 24, 40)
        layout.setSpacing(8)
        layout.addStretch(2)
        layout.addWidget(Picture(icon_name, 26, "accent", on_disc=True), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._words, 0, Qt.AlignmentFlag.AlignHCenter)
        if actions is not None:
            layout.addSpacing(8)
            layout.addLayout(actions)
        layout.addStretch(3)

    def set_words(self, words: str) -> None:
        """Say something else."""
        self._words.setText(words)


class Skeleton(QWidget):
    """Grey bars where a list is on its way."""

    def __init__(self, rows: int = 6, height: int = 46) -> None:
        super().__init__()
        self._rows, self._height = rows, height
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.update)
        self.setMinimumHeight(rows * (height + 12) + 20)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Loading")

    def showEvent(self, event: object) -> None:
        """Shimmer while it is seen."""
        self._since.start()
        self._timer.start(FRAME_MS)

    def hideEvent(self, event: object) -> None:
        """Rest."""
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        width = self.width() - 32
        at = (self._since.elapsed() % SHIMMER_MS) / SHIMMER_MS if self._since.isValid() else 0.0
        shine = QLinearGradient(16 + (at * 3 - 1) * width, 0, 16 + at * 3 * width, 0)
        palette = theme().palette
        for place, name in ((0.0, "grid"), (0.5, "hover"), (1.0, "grid")):
            shine.setColorAt(place, palette.colour(name))
        painter.setBrush(shine)
        for number in range(self._rows):
            painter.drawRoundedRect(QRectF(16, 16 + number * (self._height + 12), width, self._height), 7, 7)
