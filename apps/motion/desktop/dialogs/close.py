"""Closing the window while it measures."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from motion.desktop.widgets.dialogs import FormDialog
from motion.desktop.widgets.texts import text

WORDS = (
    "The session goes on without samples. What was measured is saved ten minutes after the last sample, "
    "or when you finish it."
)


class CloseDialog(FormDialog):
    """Asks whether measuring is to end.

    Args:
        close: Called when it is.
    """

    def __init__(self, parent: QWidget, close: Callable[[], object]) -> None:
        super().__init__(parent, "This window is measuring", "Stop and close", "danger")
        self._after = close
        self.body.addWidget(text(WORDS, wraps=True))

    def send(self) -> None:
        """Close."""
        self.accept()
        self._after()
