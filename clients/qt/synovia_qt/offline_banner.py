"""A strip that says that there is no connection, and what waits for one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from synovia_qt.binding import BINDING, QtCore, Signal
from synovia_qt.client import SynoviaClient
from synovia_qt.texts import reason_of, try_now, waiting_changes

if TYPE_CHECKING:
    from PySide6 import QtGui, QtWidgets
else:
    QtGui: Any = importlib.import_module(f"{BINDING}.QtGui")
    QtWidgets: Any = importlib.import_module(f"{BINDING}.QtWidgets")

GRACE = 1_500
"""Milliseconds without a connection before anybody is told: a server that restarts is back by then."""
_LOOK_EVERY = 500
_AMBER = (214, 158, 46)
_TINT = 0.22


class OfflineBanner(QtWidgets.QFrame):
    """Shows itself while there is no connection: why, how many changes wait, and a button that tries again.

    It takes its colours, icon and font from the application's style and palette, in light and dark.

    Args:
        client: Whose connection it is about.
        parent: The owner in Qt.
        grace: Milliseconds without a connection before it shows itself.
        icon: A widget in place of the style's warning sign, for programs that have icons of their own.
        button: A button in place of the style's, which gets its text here.

    Attributes:
        shownChanged: Emitted with whether it shows itself.
    """

    shownChanged = Signal(bool)

    def __init__(
        self, client: SynoviaClient, parent: Any = None, *, grace: int = GRACE, icon: Any = None, button: Any = None
    ) -> None:
        super().__init__(parent)
        self._own_icon = icon
        self._button = button or QtWidgets.QPushButton(self)
        self._client = client
        self._is_shown = False
        self._tinted = False
        self._build()
        self.hide()
        self._grace = QtCore.QTimer(self)
        self._grace.setSingleShot(True)
        self._grace.setInterval(grace)
        self._grace.timeout.connect(self._appear)
        self._look = QtCore.QTimer(self)
        self._look.setInterval(_LOOK_EVERY)
        self._look.timeout.connect(self._say)
        client.stateChanged.connect(self._changed)
        client.troubleChanged.connect(self._changed)
        client.waitingChanged.connect(self._changed)
        self._changed()

    def _build(self) -> None:
        self._icon = self._own_icon or QtWidgets.QLabel(self)
        self._text = QtWidgets.QLabel(self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._text.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred)
        self._button.clicked.connect(self._retry)
        layout = QtWidgets.QHBoxLayout(self)
        for part in (self._icon, self._text, self._button):
            layout.addWidget(part)
        layout.setStretch(1, 1)
        self.setAutoFillBackground(True)
        self._dress()

    @property
    def text(self) -> str:
        """What it says."""
        return str(self._text.text())

    @property
    def is_shown(self) -> bool:
        """Whether it shows itself, as far as it is asked: its window may be hidden all the same."""
        return self._is_shown

    # --- when

    def _changed(self, *_: object) -> None:
        if self._client.online:
            self._grace.stop()
            self._disappear()
        elif self._is_shown:
            self._say()
        elif self._client.state == "failed":
            self._appear()
        elif not self._grace.isActive():
            self._grace.start()

    def _appear(self) -> None:
        self._say()
        self._look.start()
        self._is_shown = True
        self.show()
        self.shownChanged.emit(True)

    def _disappear(self) -> None:
        if self._is_shown:
            self._look.stop()
            self._is_shown = False
            self.hide()
            self.shownChanged.emit(False)

    def _retry(self) -> None:
        self._client.retry()

    # --- what

    def _say(self) -> None:
        client = self._client
        failed = client.state == "failed"
        waiting = client.unanswered
        said = reason_of(client.state)
        if waiting and not failed:
            said += " " + waiting_changes(waiting)
        if said != self._text.text():
            self._text.setText(said)
            self.setAccessibleName(said)
        self.setToolTip(client.trouble)
        self._button.setText(try_now())
        self._button.setVisible(not failed)

    def _dress(self) -> None:
        """Take icon and colours from the style and the palette: the window's own, with some amber."""
        self._tinted = True
        palette = QtGui.QPalette()  # with this one role: the others follow the application's
        role = QtGui.QPalette.ColorRole.Window
        window = QtWidgets.QApplication.palette(self).color(role)
        parts = zip((window.red(), window.green(), window.blue()), _AMBER, strict=True)
        palette.setColor(role, QtGui.QColor(*(round(own + (amber - own) * _TINT) for own, amber in parts)))
        self.setPalette(palette)
        self._tinted = False
        if self._own_icon is not None:
            return
        size = self.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_SmallIconSize)
        icon = self.style().standardIcon(QtWidgets.QStyle.StandardPixmap.SP_MessageBoxWarning)
        self._icon.setPixmap(icon.pixmap(QtCore.QSize(size, size), self.devicePixelRatioF()))

    def changeEvent(self, event: Any) -> None:
        """Follow the application's palette, style and language; called by Qt."""
        super().changeEvent(event)
        kinds = QtCore.QEvent.Type
        if event.type() in (kinds.ApplicationPaletteChange, kinds.PaletteChange, kinds.StyleChange):
            if not getattr(self, "_tinted", True):
                self._dress()
        elif event.type() == kinds.LanguageChange and self._is_shown:
            self._say()
