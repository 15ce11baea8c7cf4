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
AWAY = "The server cannot be reached. It is tried again and again."


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
        self._again = Button("Try again now", "primary", run=client.retry)
        self._again.hide()
        layout.addLayout(row(None, self._again, Button("Sign out", "quiet", run=sign_out), None))
        layout.addStretch(1)
        if not words:
            client.troubleChanged.connect(self._tell)
            self._tell(client.trouble)

    def _tell(self, trouble: str) -> None:
        """Say it in words for everybody; what the system said of it is the tip."""
        self._label.setText(AWAY if trouble else WAITING)
        self._label.setToolTip(trouble)
        self._again.setVisible(bool(trouble))
