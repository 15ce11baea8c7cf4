"""The frame of a page: what it is, what can be done, and what there is."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from motion.desktop.widgets.layouts import column, row
from motion.desktop.widgets.texts import text

WIDTH = 980


class Page(QWidget):
    """A page of at most 980 pixels; below its head one of several states is shown.

    Args:
        title: What it is.
        words: A line about it.
    """

    def __init__(self, title: str, words: str) -> None:
        super().__init__()
        self.title = text(title, "heading")
        self.words = text(words, "muted", wraps=True)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.states = QStackedWidget()
        about = column(self.title, self.words, spacing=2)
        head = row(about, self.buttons, spacing=16)
        head.setStretch(0, 1)
        inside = QFrame()
        inside.setMaximumWidth(WIDTH)
        body = QVBoxLayout(inside)
        body.setContentsMargins(32, 24, 32, 24)
        body.setSpacing(18)
        body.addLayout(head)
        body.addWidget(self.states, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(inside, 1000)
        layout.addStretch(1)

    def add_state(self, widget: QWidget) -> QWidget:
        """Have something to show."""
        self.states.addWidget(widget)
        return widget

    def show_state(self, widget: QWidget) -> None:
        """Show it."""
        self.states.setCurrentWidget(widget)
