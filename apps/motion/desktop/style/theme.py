"""Whether the desk is light or dark, now: as the system is, unless somebody chose."""

from __future__ import annotations

import functools
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from motion.desktop.style.fonts import body_font
from motion.desktop.style.palette import DARK, LIGHT, Palette
from motion.desktop.style.sheet import sheet_of

Appearance = Literal["system", "light", "dark"]


class Theme(QObject):
    """The colours in use; ``changed`` is emitted after everything that follows the sheet has others."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.appearance: Appearance = "system"
        self.is_dark = False
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def palette(self) -> Palette:
        """The colours."""
        return DARK if self.is_dark else LIGHT

    def choose(self, appearance: Appearance) -> None:
        """Be light, dark, or as the system is."""
        self.appearance = appearance
        self._follow()

    def _system_changed(self) -> None:
        if self.appearance == "system":
            self._follow()

    def _follow(self) -> None:
        system_is_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        self.is_dark = system_is_dark if self.appearance == "system" else self.appearance == "dark"
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setFont(body_font())
            app.setPalette(_qt_palette(self.palette))
            app.setStyleSheet(sheet_of(self.palette))
        self.changed.emit()


@functools.cache
def theme() -> Theme:
    """Give the theme of this program."""
    return Theme()


def _qt_palette(colours: Palette) -> QPalette:
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, name in (
        (roles.Window, "surface"),
        (roles.WindowText, "ink"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "sunken"),
        (roles.Text, "ink"),
        (roles.PlaceholderText, "ink_3"),
        (roles.Button, "surface"),
        (roles.ButtonText, "ink"),
        (roles.Highlight, "accent"),
        (roles.HighlightedText, "accent_ink"),
        (roles.ToolTipBase, "toast"),
        (roles.ToolTipText, "toast_ink"),
        (roles.Link, "accent"),
        (roles.Accent, "accent"),
    ):
        palette.setColor(role, colours.colour(name))
    return palette
