"""What one has to know all the time: there is no connection, and what waits for it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout

from motion.desktop.widgets.texts import Picture, text
from motion.desktop.words.times import count
from synovia_qt import SynoviaClient

LOOK_MS = 400
PATIENCE_MS = 1_200
"""A break that is over before anybody could read of it is not worth a banner."""


class Banner(QFrame):
    """Tells that there is no connection, once that has lasted."""

    def __init__(self, client: SynoviaClient) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._client = client
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(PATIENCE_MS)
        self._late.timeout.connect(self._show)
        self._words = text("", wraps=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 9, 20, 9)
        layout.setSpacing(12)
        layout.addWidget(Picture("wifi_off", 18, "warn"))
        layout.addWidget(self._words, 1)
        client.onlineChanged.connect(self._changed)
        client.stateChanged.connect(self._changed)
        self._counting = QTimer(self)
        self._counting.setInterval(LOOK_MS)
        self._counting.timeout.connect(self._write)
        self.hide()
        self._changed()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def _changed(self) -> None:
        if self._client.online:
            self._late.stop()
            self._counting.stop()
            self.hide()
        elif not self.isVisible() and not self._late.isActive():
            self._late.start()

    def _show(self) -> None:
        self._write()
        self._counting.start()
        self.show()

    def _write(self) -> None:
        waiting = self._client.blocking.unanswered
        if self._client.state == "failed":
            self._words.setText("The server refuses this program. It may be too old: install the newest one.")
        elif waiting:
            self._words.setText(
                f"You are offline. {count(waiting, 'change')} will be saved when the connection is back."
            )
        else:
            self._words.setText("You are offline. Changes are kept, and saved when the connection is back.")
