"""Where one can go, how the connection is, and who one is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from motion.desktop.models.context import Context
from motion.desktop.widgets.buttons import Button, Item, show_menu
from motion.desktop.widgets.dot import Dot
from motion.desktop.widgets.layouts import column, holder, row
from motion.desktop.widgets.texts import Disc, ElidedLabel, Picture, badge, text
from motion.desktop.windows.places import PLACES, Place

WIDTH, RAIL = 232, 64
ROLES = {"physiotherapist": "Physiotherapist", "patient": "Patient", "admin": "Administrator"}


class PlaceButton(Button):
    """One place, with how much waits there."""

    def __init__(self, place: Place, run: Callable[[], object]) -> None:
        super().__init__(place.label, "place", place.icon_name, run)
        self._label = place.label
        self._waiting, self._is_short = 0, False
        self.setCheckable(True)
        self._count = badge("", "live" if place.path == "live" else "count")
        self._count.hide()
        self.setMinimumHeight(36)
        inside = QHBoxLayout(self)
        inside.setContentsMargins(10, 0, 8, 0)
        inside.addStretch(1)
        inside.addWidget(self._count)

    def sizeHint(self) -> QSize:
        """Be of one height."""
        return QSize(super().sizeHint().width(), 36)

    def nextCheckState(self) -> None:
        """Stay as it is: who leads there decides where one is."""

    def show_count(self, count: int) -> None:
        """Show how much waits there."""
        self._waiting = count
        self._count.setText(str(count))
        self.show_short(self._is_short)

    def show_short(self, short: bool) -> None:
        """Show the icon only, or the words too."""
        self._is_short = short
        self.setText("" if short else self._label)
        self._count.setVisible(self._waiting > 0 and not short)
        waiting = f" ({self._waiting})" if self._waiting else ""
        self.setToolTip(self._label + waiting if short else "")


class Sidebar(QFrame):
    """The left side of the window.

    Args:
        account_items: Gives what the menu of the account offers.
    """

    def __init__(self, context: Context, account_items: Callable[[], list[Item | None]]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self._context = context
        self._items = account_items
        self._long: list[QWidget] = []
        self._build()
        client = context.client
        client.onlineChanged.connect(self._show_connection)
        client.stateChanged.connect(self._show_connection)
        context.people.changed.connect(self._show_me)
        client.subscribe("live:list_running", {}, lambda rows: self.places["live"].show_count(len(rows)))
        client.subscribe("invites:list_received", {}, lambda rows: self.places["invites"].show_count(len(rows)))
        self._show_connection()
        self._show_me()
        self.show_short(False)

    def _build(self) -> None:
        name = text("Motion Desk")
        name.setStyleSheet("font-size: 16px; font-weight: 700;")
        self._brand = row(Picture("mark", 28), name, None, spacing=10, margins=(8, 0, 8, 0))
        navigator = self._context.navigator
        self.import_ = Button("Import recording", "primary", "upload", navigator.ask_import)
        self.places = {
            place.path: PlaceButton(place, lambda path=place.path: navigator.go(path))  # type: ignore[misc]
            for place in PLACES
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 18, 12, 12)
        layout.setSpacing(2)
        layout.addLayout(self._brand)
        layout.addSpacing(14)
        layout.addWidget(self.import_)
        for group in dict.fromkeys(place.group for place in PLACES):
            heading = text(group, "group")
            heading.setContentsMargins(8, 14, 8, 3)
            self._long.append(heading)
            layout.addWidget(heading)
            for place in PLACES:
                if place.group == group:
                    layout.addWidget(self.places[place.path])
        layout.addStretch(1)
        layout.addWidget(self._build_connection())
        layout.addWidget(self._build_account())
        self._long += [name]

    def _build_connection(self) -> QWidget:
        self._dot = Dot("warn")
        self._state = text("", "hint")
        self._long.append(self._state)
        return holder(row(self._dot, self._state, None, margins=(10, 4, 8, 10)))

    def _build_account(self) -> QWidget:
        self.account = Button("", "place", run=self.ask_account)
        self.account.setProperty("kind", "account")
        self._disc = Disc("", 36)
        self._name = ElidedLabel("", "strong")
        self._role = ElidedLabel("", "hint")
        words = column(None, self._name, self._role, None, spacing=0)
        more = Picture("more", 18)
        inside = row(self._disc, words, more, spacing=10, margins=(7, 4, 8, 4))
        inside.setStretch(1, 1)
        self.account.setLayout(inside)
        self.account.setFixedHeight(52)
        self._long += [self._name, self._role, more]
        return self.account

    def ask_account(self) -> None:
        """Open the menu of the account."""
        show_menu(self._items(), self.account, above=True)

    def show_place(self, path: str) -> None:
        """Show where one is."""
        for name, button in self.places.items():
            button.setChecked(name == path)

    def show_short(self, short: bool) -> None:
        """Show icons only, where the window is narrow."""
        self.setFixedWidth(RAIL if short else WIDTH)
        for widget in self._long:
            widget.setVisible(not short)
        for button in self.places.values():
            button.show_short(short)
        self.import_.setText("" if short else "Import recording")
        self.import_.setToolTip("Import recording" if short else "")
        margin = 9 if short else 12
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(margin, 18, margin, 12)

    def _show_connection(self) -> None:
        client = self._context.client
        words = {"connecting": "Connecting…", "failed": "Refused", "connected": "Up to date"}
        self._state.setText(words.get(client.state, "Offline"))
        self._dot.show_ink("good" if client.online else "warn")
        self._dot.setToolTip(self._state.text())

    def _show_me(self) -> None:
        me = self._context.people.me
        self._disc.set_name(str(me["name"]))
        self._name.set_words(str(me["name"]))
        self._role.set_words(ROLES.get(str(me["role"]), ""))
        self.account.setAccessibleName(f"Account of {me['name']}")
