"""Whom names can be found for: oneself, and one's contacts, live."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from motion.desktop.words.naming import Row, shown_name
from synovia_qt import SynoviaClient


class People(QObject):
    """Oneself and one's contacts; ``changed`` is emitted when somebody is another.

    Args:
        client: Where contacts are asked.
        me: The account that is signed in.
    """

    changed = Signal()

    def __init__(self, client: SynoviaClient, me: Row, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.me = me
        self.by_id: dict[str, Row] = {}
        self._handle = client.subscribe("contacts:list_mine", {}, self._told)

    @property
    def my_id(self) -> str:
        """The id of who is signed in."""
        return str(self.me["_id"])

    @property
    def contacts(self) -> list[Row]:
        """The contacts, in the order of their names."""
        return list(self.by_id.values())

    @property
    def is_patient(self) -> bool:
        """Whether a patient is signed in."""
        return bool(self.me["role"] == "patient")

    def rename_me(self, me: Row) -> None:
        """Take over what has changed of oneself."""
        self.me = me
        self.changed.emit()

    def name_of(self, user_id: str) -> str:
        """Give the name of a person, as far as one knows them."""
        if user_id == self.my_id:
            return "Me"
        contact = self.by_id.get(user_id)
        return "Somebody else" if contact is None else shown_name(contact)

    def subject_of(self, recording: Row) -> str:
        """Tell who was measured."""
        subject = recording.get("subjectId")
        return str(recording.get("subjectAlias") or "Unnamed") if subject is None else self.name_of(str(subject))

    def owner_of(self, recording: Row) -> str | None:
        """Tell whose a recording is; None: one's own."""
        owner = str(recording["ownerId"])
        return None if owner == self.my_id else self.name_of(owner)

    def _told(self, contacts: list[Row]) -> None:
        self.by_id = {str(contact["userId"]): contact for contact in contacts}
        self.changed.emit()
