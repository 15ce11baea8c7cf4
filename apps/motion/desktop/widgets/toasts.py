"""Short notices in the corner, which go by themselves."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.texts import Picture, text

LASTS_MS = {"info": 5_000, "error": 9_000}
MOST = 4
WIDTH = 380


class Toast(QFrame):
    """One notice."""

    def __init__(self, words: str, kind: str, action: tuple[str, Callable[[], object]] | None) -> None:
        super().__init__()
        self.setObjectName("toast")
        self.words = words
        is_error = kind == "error"
        label = text(words, wraps=True)
        label.setFixedWidth(WIDTH - (180 if action else 110))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 6, 6, 6)
        layout.setSpacing(10)
        layout.addWidget(Picture("alert" if is_error else "check", 18, "toast_bad" if is_error else "toast_good"))
        layout.addWidget(label, 1)
        if action is not None:
            word, run = action
            button = Button(word, "toast", run=run)
            button.clicked.connect(self.deleteLater)
            layout.addWidget(button)
        close = Button("Dismiss", "toast", "close", self.deleteLater, size=16)
        close.setText("")
        layout.addWidget(close)
        QTimer.singleShot(LASTS_MS[kind], self, self.deleteLater)
        self.setAccessibleName(words)


class Toasts(QWidget):
    """The notices of a window, in its lower right corner; they take no room from what is below."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        window.installEventFilter(self)
        self.hide()

    def say(self, words: str, action: tuple[str, Callable[[], object]] | None = None) -> None:
        """Tell that something is done."""
        self._add(Toast(words, "info", action))

    def error(self, words: str) -> None:
        """Tell that something went wrong."""
        self._add(Toast(words, "error", None))

    @property
    def words(self) -> list[str]:
        """What is told at the moment."""
        return [toast.words for toast in self._toasts()]

    def _toasts(self) -> list[Toast]:
        return [each for each in self.findChildren(Toast) if each.property("gone") is None]

    def _add(self, toast: Toast) -> None:
        same = [each for each in self._toasts() if each.words == toast.words]
        for old in same or self._toasts()[: 1 - MOST]:
            old.setProperty("gone", True)
            old.hide()
            old.deleteLater()
        toast.destroyed.connect(self._settle)
        self._layout.addWidget(toast)
        self.show()
        self.raise_()
        self._settle()

    def _settle(self) -> None:
        QTimer.singleShot(0, self, self._place)

    def _place(self) -> None:
        window = self._window
        if not self._toasts():
            self.hide()
            return
        width = min(WIDTH, window.width() - 32)
        self.setFixedWidth(width)
        self._layout.activate()
        height = (
            self._layout.totalHeightForWidth(width) if self._layout.hasHeightForWidth() else self.sizeHint().height()
        )
        self.setGeometry(window.width() - width - 20, window.height() - height - 20, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
