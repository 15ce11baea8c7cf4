"""Who is measured: somebody with an account, a name, or nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.models.people import People
from motion.desktop.widgets.fields import Choice, Draft, Field, Input
from motion.desktop.words.naming import shown_name

NOBODY, OTHER = "", "other"


class SubjectField(QWidget):
    """A choice of people, and room for a name.

    Args:
        label: What stands above it.
        people: Who can be chosen.
        is_optional: Whether nobody can be.

    Attributes:
        settled: Emitted with ``subjectId``, ``subjectAlias`` or neither, when somebody has chosen.
    """

    settled = Signal(object)

    def __init__(self, label: str, people: People, *, is_optional: bool = False) -> None:
        super().__init__()
        self._people, self._is_optional = people, is_optional
        self._subject: dict[str, str] = {}
        self.choice = Choice()
        self.alias = Input(placeholder="Their name")
        self._draft = Draft(self.alias, self._named)
        self._name = Field("Name", self.alias)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(Field(label, self.choice))
        layout.addWidget(self._name)
        self.choice.chosen.connect(self._chosen)
        people.changed.connect(self._refresh)
        self._refresh()

    @property
    def subject(self) -> dict[str, str]:
        """What is chosen: ``subjectId``, ``subjectAlias``, or neither."""
        if self.choice.value == OTHER:
            alias = self.alias.text().strip()
            return {"subjectAlias": alias} if alias else {}
        return {"subjectId": self.choice.value} if self.choice.value else {}

    def show_subject(self, subject: Mapping[str, Any]) -> None:
        """Show who is chosen."""
        self._subject = {name: str(subject[name]) for name in ("subjectId", "subjectAlias") if subject.get(name)}
        self._draft.show_saved(self._subject.get("subjectAlias", ""))
        self._refresh()

    def _refresh(self) -> None:
        chosen = self._subject.get("subjectId") or (OTHER if "subjectAlias" in self._subject else NOBODY)
        people, my_id = self._people, self._people.my_id
        options = [(NOBODY, "Not said")] if self._is_optional else []
        if chosen not in (NOBODY, OTHER, my_id) and chosen not in people.by_id:
            options.append((chosen, people.name_of(chosen)))
        options += [(user, shown_name(contact)) for user, contact in people.by_id.items()]
        options += [(my_id, "Myself"), (OTHER, "Somebody without an account")]
        self.choice.set_options(options, chosen)
        self._name.setVisible(self.choice.value == OTHER)

    def _chosen(self, value: str) -> None:
        self._name.setVisible(value == OTHER)
        if value == OTHER:
            self._subject = {"subjectAlias": self.alias.text()}
            self.alias.setFocus()
            return
        self._subject = {"subjectId": value} if value else {}
        self.settled.emit(self._subject)

    def _named(self, alias: str) -> None:
        if alias.strip():
            self._subject = {"subjectAlias": alias.strip()}
            self.settled.emit(self._subject)
