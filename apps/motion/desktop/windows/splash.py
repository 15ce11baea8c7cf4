"""What is shown before the server has told who is signed in, and when an account cannot be used."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.texts import Picture, text
from synovia_qt import SynoviaClient

WAITING = "Connecting…"


class Splash(QWidget):
    """The mark, a sentence, and a way back.

    Args:
        client: Whose trouble is told while it connects.
        words: What is wrong with the account; empty: nothing is.
        sign_out: What the button does.
    """

    def __init__(self, client: SynoviaClient, words: str, sign_out: Callable[[], object]) -> None:
        super().__init__()
        self._label = text(words or WAITING, "muted", wraps=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 40, 40, 40)
        layout.setSpacing(16)
        layout.addStretch(1)
        layout.addLayout(row(None, Picture("mark", 48), None))
        layout.addWidget(self._label)
        layout.addLayout(row(None, Button("Sign out", "quiet", run=sign_out), None))
        layout.addStretch(1)
        if not words:
            client.troubleChanged.connect(self._tell)

    def _tell(self, trouble: str) -> None:
        self._label.setText(f"No connection yet: {trouble}." if trouble else WAITING)
