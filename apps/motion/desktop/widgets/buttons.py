"""Buttons of a few kinds, with icons that follow the theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from motion.desktop.style.icons import icon
from motion.desktop.style.theme import theme

Kind = Literal["primary", "quiet", "plain", "danger", "icon", "chip", "segment", "place", "banner", "toast"]
INKS = {
    "primary": "accent_ink",
    "danger": "surface",
    "plain": "accent",
    "icon": "ink_2",
    "place": "ink_2",
    "segment": "ink_2",
    "toast": "toast_ink",
    "banner": "warn",
}


class Button(QPushButton):
    """A button; the ring around it is only for who comes by the keyboard.

    Args:
        text: What it says; a button of the kind ``icon`` shows it as a tip only.
        kind: How it looks.
        icon_name: What is in front of the text.
        run: What it does.
    """

    def __init__(
        self,
        text: str,
        kind: Kind = "quiet",
        icon_name: str | None = None,
        run: Callable[[], object] | None = None,
        parent: QWidget | None = None,
        size: int = 18,
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._icon_name = icon_name
        self.setText("" if kind == "icon" else text)
        self._size = size
        self.setProperty("kind", kind)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(size, size))
        if kind == "icon":
            self.setToolTip(text)
        if run is not None:
            self.clicked.connect(lambda *_: run())
        if icon_name is not None:
            theme().changed.connect(self._recolour)
            self.toggled.connect(self._recolour)
            self._recolour()

    def setText(self, words: str) -> None:
        """Show a text, apart from the icon before it."""
        super().setText(f"\u2002{words}" if words and self._icon_name is not None else words)

    def set_icon(self, icon_name: str) -> None:
        """Show another icon."""
        self._icon_name = icon_name
        self._recolour()

    def _recolour(self) -> None:
        if self._icon_name is None:
            return
        ink = INKS.get(self._kind, "ink")
        if self._kind == "place" and self.isChecked():
            ink = "accent_strong"
        if not self.isEnabled():
            ink = "surface" if self._kind == "primary" else "ink_3"
        self.setIcon(icon(self._icon_name, theme().palette.colour(ink).name(), self._size))

    def setEnabled(self, enabled: bool) -> None:
        """Take presses, or not."""
        super().setEnabled(enabled)
        self._recolour()


@dataclass(frozen=True)
class Item:
    """One line of a menu."""

    text: str
    icon_name: str
    run: Callable[[], object]
    is_dangerous: bool = False


def show_menu(items: Sequence[Item | None], beside: QWidget, *, above: bool = False) -> None:
    """Open a menu below a widget, or above it; None is a line between two groups."""
    menu = menu_of(items, beside)
    size = menu.sizeHint()
    if above:
        where = beside.mapToGlobal(QPoint(0, -size.height() - 4))
    else:
        where = beside.mapToGlobal(QPoint(beside.width() - size.width(), beside.height() + 4))
    menu.popup(where)


def menu_of(items: Sequence[Item | None], parent: QWidget) -> QMenu:
    """Make a menu."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setWindowFlags(menu.windowFlags() | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint)
    menu.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    for item in items:
        if item is None:
            menu.addSeparator()
            continue
        ink = "bad" if item.is_dangerous else "ink_2"
        action = QAction(icon(item.icon_name, theme().palette.colour(ink).name()), item.text, menu)
        action.triggered.connect(lambda _=False, run=item.run: run())
        menu.addAction(action)
    return menu
