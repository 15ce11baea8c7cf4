"""The people whom one records and shares with."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSortFilterProxyModel
from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.dialogs.contact import AliasDialog, RemoveDialog
from motion.desktop.models.context import Context
from motion.desktop.models.filter import plain
from motion.desktop.models.recordings import Index
from motion.desktop.widgets.buttons import Button, Item, menu_of
from motion.desktop.widgets.fields import SearchInput
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.page import Page
from motion.desktop.widgets.row_list import Look, RowList
from motion.desktop.widgets.states import Empty, Skeleton
from motion.desktop.words.errors import describe
from motion.desktop.words.naming import Row, shown_name
from motion.desktop.words.times import date_of
from synovia_qt import LiveListModel

ROLE_NAMES = {"physiotherapist": "Physiotherapist", "patient": "Patient", "admin": "Administrator"}
SEARCHED_FROM = 8


class _Found(QSortFilterProxyModel):
    """The contacts in whose name or address a text is."""

    def __init__(self, source: LiveListModel) -> None:
        super().__init__(source)
        self._live, self._text = source, ""
        self.setSourceModel(source)

    def seek(self, words: str) -> None:
        """Show those."""
        self.beginFilterChange()
        self._text = plain(words.strip())
        self.endFilterChange()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Tell whether a contact is shown."""
        contact = self._live.rows[source_row]
        return self._text in plain(f"{contact.get('alias') or ''} {contact['name']} {contact['email']}")


class ContactsPage(Page):
    """A list of contacts, and what can be done with each."""

    def __init__(self, context: Context) -> None:
        about = "People you record and share with. Being a contact shows nobody anything by itself."
        super().__init__("Contacts", about)
        self._context = context
        self.live = LiveListModel(context.client, "contacts:list_mine", {}, ["name"], key="userId", parent=self)
        self._found = _Found(self.live)
        self.search = SearchInput("Search contacts")
        self.search.textChanged.connect(self._seek)
        self.list = RowList(self._found, _look, "Contacts")
        self.list.asked.connect(self._ask)
        self.buttons.addWidget(self._invite())
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        layout.addStretch(1)
        self._there = self.add_state(inside)
        self._loading = self.add_state(Skeleton(5))
        invite = row(None, self._invite(), None)
        self._empty = self.add_state(
            Empty("contacts", "No contacts yet", "Who accepts your invitation appears here.", invite)
        )
        self._problem = Empty("alert", "Your contacts cannot be shown")
        self.add_state(self._problem)
        self.live.loadedChanged.connect(self._show)
        self.live.countChanged.connect(self._show)
        self.live.failed.connect(lambda _: self._show())
        self._show()

    def _invite(self) -> Button:
        return Button("Add somebody", "primary", "mail", lambda: self._context.navigator.go("invites"))

    def _seek(self, words: str) -> None:
        self._found.seek(words)

    def _show(self) -> None:
        self.search.setVisible(self.live.rowCount() >= SEARCHED_FROM)
        if self.live.error is not None:
            self._problem.set_words(describe(self.live.error))
            self.show_state(self._problem)
        elif self.live.rowCount():
            self.show_state(self._there)
        else:
            self.show_state(self._empty if self.live.loaded else self._loading)

    def _ask(self, contact: Row, where: QPoint) -> None:
        context = self._context
        items = [
            Item("Show recordings", "activity", lambda: context.navigator.show_recordings_of(str(contact["userId"]))),
            Item("Change alias", "edit", lambda: AliasDialog(self.window(), context, contact).open()),
            Item("Remove contact", "trash", lambda: RemoveDialog(self.window(), context, contact).open(), True),
        ]
        menu_of(items, self).popup(where)


def _look(contact: Row) -> Look:
    alias, name = contact.get("alias"), contact["name"]
    known_as = f"{name} · " if alias and alias != name else ""
    role = str(contact["role"])
    return Look(
        shown_name(contact),
        f"{known_as}{contact['email']}",
        (ROLE_NAMES[role], "accent" if role == "physiotherapist" else "neutral"),
        f"since {date_of(contact['addedAt'])}",
        has_menu=True,
    )
