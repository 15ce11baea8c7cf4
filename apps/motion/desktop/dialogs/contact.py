"""What a contact is called, and ending the contact."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from motion.desktop.models.context import Context
from motion.desktop.widgets.dialogs import FormDialog, input_field
from motion.desktop.widgets.texts import text
from motion.desktop.words.naming import Row, shown_name


class AliasDialog(FormDialog):
    """Asks what one calls somebody."""

    def __init__(self, parent: QWidget, context: Context, contact: Row) -> None:
        super().__init__(parent, "Change alias", "Save")
        self._context, self._contact = context, contact
        hint = "Only you see this. Leave it empty to use the name."
        field, self.alias = input_field(f"What you call {contact['name']}", str(contact.get("alias") or ""), hint)
        self.body.addWidget(field)
        self.alias.selectAll()
        self.alias.setFocus()

    def send(self) -> None:
        """Save it."""
        args = {"userId": self._contact["userId"], "alias": self.alias.text().strip()}
        self.follow(self._context.mutate("contacts:set_alias", args, tells=False), lambda _: None)


class RemoveDialog(FormDialog):
    """Asks whether a contact is to end."""

    def __init__(self, parent: QWidget, context: Context, contact: Row) -> None:
        super().__init__(parent, "Remove contact", "Remove", "danger")
        self._context, self._contact = context, contact
        words = (
            f"{shown_name(contact)} and you will no longer be contacts, and nothing stays shared between you, in either "
            "direction. Recordings of a person stay visible to that person."
        )
        self.body.addWidget(text(words, wraps=True))

    def send(self) -> None:
        """End it."""
        args = {"userId": self._contact["userId"]}
        self.follow(self._context.mutate("contacts:remove", args, tells=False), lambda _: None)
