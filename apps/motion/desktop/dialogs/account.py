"""What one is called, and leaving for good."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from motion.desktop.models.context import Context
from motion.desktop.widgets.dialogs import FormDialog, input_field
from motion.desktop.widgets.texts import text


class NameDialog(FormDialog):
    """Asks what one is called."""

    def __init__(self, parent: QWidget, context: Context) -> None:
        super().__init__(parent, "Change name", "Save")
        self._context = context
        name = str(context.people.me["name"])
        field, self.name = input_field("Your name", name, "This is how your contacts see you.")
        self.body.addWidget(field)
        self.name.selectAll()
        self.name.setFocus()

    def send(self) -> None:
        """Save it."""
        name = self.name.text().strip()
        if name:
            self.follow(self._context.mutate("users:rename", {"name": name}, tells=False), lambda _: None)


class DeleteDialog(FormDialog):
    """Asks for one's own address, to delete the account with everything that is one's own."""

    def __init__(self, parent: QWidget, context: Context) -> None:
        super().__init__(parent, "Delete account", "Delete my account", "danger")
        self._context = context
        self._address = str(context.people.me["email"])
        words = "Your recordings are deleted with it, for you and for everybody they are shared with. This cannot be undone."
        self.body.addWidget(text(words, wraps=True))
        field, self.email = input_field(f"Type {self._address} to confirm", most=254)
        self.body.addWidget(field)
        self.submit.setEnabled(False)
        self.email.textChanged.connect(lambda words: self.submit.setEnabled(words.strip() == self._address))
        self.email.setFocus()

    def send(self) -> None:
        """Delete it."""
        call = self._context.mutate("users:delete_account", {"email": self._address}, tells=False)
        self.follow(call, lambda _: self._context.session.sign_out())
