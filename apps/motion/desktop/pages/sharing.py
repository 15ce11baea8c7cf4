"""With whom a recording is shared, and with whom it could be."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from motion.desktop.models.context import Context
from motion.desktop.models.edits import shared, unshared
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.fields import SearchInput
from motion.desktop.widgets.layouts import column, emptied, holder, row, scrolled
from motion.desktop.widgets.texts import Disc, ElidedLabel, Picture, text
from motion.desktop.words.naming import Row, shown_name

SEARCHED_FROM = 6
MOST_HEIGHT = 240


class Sharing(QFrame):
    """Who sees a recording beside its owner."""

    def __init__(self, context: Context, recording: Row) -> None:
        super().__init__()
        self.setObjectName("card")
        self._context = context
        self._recording = recording
        self._adds = False
        self.search = SearchInput("Search contacts")
        self.search.textChanged.connect(self._show_others)
        self._now = QVBoxLayout()
        self._now.setSpacing(2)
        self._others = QVBoxLayout()
        self._others.setSpacing(2)
        self._others.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._chooser = scrolled(holder(self._others))
        self._chooser.setMaximumHeight(MOST_HEIGHT)
        self.add = Button("Share with a contact", "plain", "plus", self._toggle, size=16)
        self._hint = text("", "muted", wraps=True)
        self._invite = Button("Invite somebody", "plain", run=lambda: context.navigator.go("invites"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(8)
        layout.addWidget(text("Shared with", "section"))
        layout.addWidget(self._hint)
        layout.addLayout(self._now)
        layout.addLayout(row(self.add, None))
        layout.addWidget(self.search)
        layout.addWidget(self._chooser)
        layout.addLayout(row(self._invite, None))
        context.people.changed.connect(self._show)
        self.show_recording(recording)

    def show_recording(self, recording: Row) -> None:
        """Show with whom it is shared now."""
        self._recording = recording
        self._show()

    def _toggle(self) -> None:
        self._adds = not self._adds
        self.search.clear()
        self._show()
        if self._adds and self.search.isVisible():
            self.search.setFocus()

    def _with(self) -> list[str]:
        return [str(user) for user in self._recording.get("sharedWith") or ()]

    def _candidates(self) -> list[Row]:
        now = set(self._with())
        return [each for each in self._context.people.contacts if each["userId"] not in now]

    def _show(self) -> None:
        people, users = self._context.people, self._with()
        emptied(self._now)
        for user in users:
            self._now.addWidget(self._person(user, people.name_of(user)))
        subject = self._recording.get("subjectId")
        besides = ", and the person measured" if subject and subject != people.my_id else ""
        self._hint.setText(f"Only you see this recording{besides}.")
        self._hint.setVisible(not users)
        can_add = not self._recording.get("isArchived") and bool(self._candidates())
        self.add.setVisible(can_add)
        self._adds = self._adds and can_add
        self.search.setVisible(self._adds and len(self._candidates()) >= SEARCHED_FROM)
        self._chooser.setVisible(self._adds)
        self._invite.setVisible(not people.by_id)
        self._show_others()

    def _show_others(self) -> None:
        emptied(self._others)
        if not self._adds:
            return
        wanted = self.search.text().strip().casefold()
        found = [each for each in self._candidates() if wanted in f"{shown_name(each)} {each['email']}".casefold()]
        for contact in found:
            self._others.addWidget(self._candidate(contact))
        if not found:
            self._others.addWidget(text("Nobody of this name.", "muted"))
        self._chooser.setMinimumHeight(min(MOST_HEIGHT, 46 * max(1, len(found))))

    def _person(self, user: str, name: str) -> QWidget:
        stop = Button(f"Stop sharing with {name}", "icon", "close", lambda: self._unshare(user), size=16)
        return holder(row(Disc(name, 28), ElidedLabel(name), stop, spacing=10, margins=(0, 2, 0, 2)))

    def _candidate(self, contact: Row) -> QWidget:
        name = shown_name(contact)
        button = Button("", "place", run=lambda: self._share(str(contact["userId"])))
        button.setAccessibleName(f"Share with {name}")
        button.setFixedHeight(44)
        words = column(ElidedLabel(name), ElidedLabel(str(contact["email"]), "hint"), spacing=0)
        inside = row(Disc(name, 28), words, Picture("plus", 16), spacing=10, margins=(6, 2, 10, 2))
        inside.setStretch(1, 1)
        button.setLayout(inside)
        return button

    def _share(self, user: str) -> None:
        self._context.mutate(
            "recordings:share", {"recordingId": self._recording["_id"], "userId": user}, expected=shared
        )

    def _unshare(self, user: str) -> None:
        args = {"recordingId": self._recording["_id"], "userId": user}
        self._context.mutate("recordings:unshare", args, expected=unshared)
