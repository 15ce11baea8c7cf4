"""The desk of who is signed in: where one can go on the left, where one is on the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from motion.desktop.dialogs.account import DeleteDialog, NameDialog
from motion.desktop.dialogs.import_files import ImportDialog
from motion.desktop.dialogs.shortcuts import ShortcutsDialog
from motion.desktop.models.account_files import Preferences
from motion.desktop.models.context import Context
from motion.desktop.models.imports import Imports
from motion.desktop.models.outlines import Outlines
from motion.desktop.models.people import People
from motion.desktop.models.recordings import PLACES as LISTS
from motion.desktop.models.session import Session
from motion.desktop.pages.contacts import ContactsPage
from motion.desktop.pages.invites import InvitesPage
from motion.desktop.pages.live import LivePage
from motion.desktop.pages.recordings import RecordingsPage
from motion.desktop.style.theme import Appearance, theme
from motion.desktop.widgets.buttons import Button, Item
from motion.desktop.widgets.layouts import holder
from motion.desktop.widgets.texts import Picture
from motion.desktop.widgets.toasts import Toasts
from motion.desktop.windows.drop_target import DropTarget
from motion.desktop.windows.imports_panel import ImportsPanel
from motion.desktop.windows.places import PLACES, home_of
from motion.desktop.windows.sidebar import Sidebar
from motion.desktop.words.errors import describe
from motion.desktop.words.naming import Row
from synovia_qt import OfflineBanner, SynoviaClient

NARROW = 860


class Desk(QWidget):
    """Everything that somebody who is signed in sees.

    Attributes:
        went: Emitted with the title of the place that is shown.
    """

    went = Signal(str)

    def __init__(self, session: Session, client: SynoviaClient, me: Row, preferences: Preferences) -> None:
        super().__init__()
        self.people = People(client, me, self)
        self.toasts = Toasts(self)
        outlines = Outlines(client, self)
        self.context = Context(session, client, self.people, outlines, self.toasts, self, preferences)
        self.place = ""
        self.pages: dict[str, QWidget] = {}
        self.stack = QStackedWidget()
        self.stack.setObjectName("main")
        self.banner = OfflineBanner(client, icon=Picture("wifi_off", 18, "warn"), button=Button("", "banner"))
        self.banner.setObjectName("banner")
        bar = self.banner.layout()
        assert bar is not None  # noqa: S101
        bar.setContentsMargins(20, 7, 20, 7)
        bar.setSpacing(12)
        self.sidebar = Sidebar(self.context, self._account_items)
        stage = QVBoxLayout()
        stage.setContentsMargins(0, 0, 0, 0)
        stage.setSpacing(0)
        stage.addWidget(self.banner)
        stage.addWidget(self.stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sidebar)
        layout.addWidget(holder(stage, "stage"), 1)
        session.closing.connect(self.commit)
        session.refused.connect(lambda error: self.toasts.error(describe(error)))
        self.imports = Imports(client, self)
        self.imports.saved.connect(lambda recording_id: self.go("recordings", recording_id))
        self.imports_panel = ImportsPanel(
            self, self.imports, lambda recording_id: self.go("recordings", recording_id), self.sidebar.width
        )
        self.drop_target = DropTarget(self, self.imports.add)
        self._add_shortcuts()
        self.go(home_of(str(me["role"])))

    # --- going somewhere

    def go(self, place: str, document: str | None = None) -> None:
        """Show a place, and a document there."""
        page = self._page(place)
        self.place = place
        self.stack.setCurrentWidget(page)
        self.sidebar.show_place(place)
        if isinstance(page, (RecordingsPage, LivePage)):
            page.open(document)
        self.went.emit(next(each.label for each in PLACES if each.path == place))

    def show_recordings_of(self, user_id: str) -> None:
        """Show the recordings whose subject somebody is."""
        self.go("recordings")
        cast(RecordingsPage, self.pages["recordings"]).show_subject(user_id)

    def _page(self, place: str) -> QWidget:
        if place not in self.pages:
            self.pages[place] = self._make_page(place)
            self.stack.addWidget(self.pages[place])
        return self.pages[place]

    def _make_page(self, place: str) -> QWidget:
        if place in LISTS:
            return RecordingsPage(self.context, place)
        return {"live": LivePage, "contacts": ContactsPage, "invites": InvitesPage}[place](self.context)

    def ask_import(self) -> None:
        """Ask which files to import."""
        ImportDialog(self.window(), self.context, self.imports).open()

    @property
    def is_measuring(self) -> bool:
        """Whether this window measures somebody."""
        page = self.pages.get("live")
        return isinstance(page, LivePage) and page.is_measuring

    def commit(self) -> None:
        """Save what is being written, and measure no more."""
        for page in self.pages.values():
            if isinstance(page, RecordingsPage) and page.pane.view is not None:
                page.pane.view.about.commit()
            elif isinstance(page, LivePage):
                page.stop()

    # --- the account

    def _account_items(self) -> list[Item | None]:
        context, window = self.context, self.window()
        dark = theme().is_dark
        appearance = Item("Light appearance" if dark else "Dark appearance", "sun" if dark else "moon", self._turn)
        system = Item("Appearance of the system", "restore", lambda: self._appear("system"))
        return [
            appearance,
            *([system] if theme().appearance != "system" else []),
            Item("Keyboard shortcuts", "help", self.show_shortcuts),
            None,
            Item("Change name", "edit", lambda: NameDialog(window, context).open()),
            Item("Sign out", "sign_out", self._sign_out),
            Item("Delete account", "trash", lambda: DeleteDialog(window, context).open(), True),
        ]

    def _turn(self) -> None:
        self._appear("light" if theme().is_dark else "dark")

    def _appear(self, appearance: Appearance) -> None:
        self.context.preferences.settings.setValue("appearance", appearance)
        theme().choose(appearance)

    def _sign_out(self) -> None:
        self.commit()
        self.context.session.sign_out()

    def show_shortcuts(self) -> None:
        """Show the keys."""
        ShortcutsDialog(self.window()).open()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See whether there is room for words beside the icons."""
        super().resizeEvent(event)
        self.sidebar.show_short(self.width() < NARROW)

    # --- keys

    def _add_shortcuts(self) -> None:
        for place in PLACES:
            self._on(f"G, {place.key}", lambda path=place.path: self.go(path))  # type: ignore[misc]
        for keys, run in (
            ("/", self._search),
            ("Ctrl+F", self._search),
            ("I", self.ask_import),
            ("Ctrl+O", self.ask_import),
            ("?", self.show_shortcuts),
            ("F1", self.show_shortcuts),
            ("F11", self._fill_screen),
        ):
            self._on(keys, run)

    def _on(self, keys: str, run: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(run)

    def _fill_screen(self) -> None:
        window = self.window()
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close what is open by Esc, and go through the list by arrows, if nobody below wants that key."""
        page = self.pages[self.place]
        if event.key() == Qt.Key.Key_Escape:
            self.go(self.place)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and isinstance(page, RecordingsPage):
            page.list.setFocus()
            page.list.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def _search(self) -> None:
        page = self.pages[self.place]
        fields = [field for field in page.findChildren(QLineEdit) if field.property("look") == "search"]
        visible = next((field for field in fields if field.isVisible()), None)
        if visible is not None:
            visible.setFocus(Qt.FocusReason.ShortcutFocusReason)
            visible.selectAll()
