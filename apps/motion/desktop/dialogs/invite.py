"""Asking somebody to be a contact."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from motion.desktop.models.context import Context
from motion.desktop.widgets.dialogs import FormDialog, input_field

BY_MAIL = "They get a mail with a link. Who is new here becomes a patient."
IN_THEIR_LIST = "They see it when they sign in with this address. Nobody is told whether they have an account."


class InviteDialog(FormDialog):
    """Asks for an address: physiotherapists ask by mail, patients in the list of whoever has it."""

    def __init__(self, parent: QWidget, context: Context) -> None:
        by_mail = not context.people.is_patient
        super().__init__(
            parent, "Invite somebody" if by_mail else "Ask somebody", "Send invitation" if by_mail else "Ask"
        )
        self._context = context
        self._path = "invites:create" if by_mail else "contacts:add"
        hint = BY_MAIL if by_mail else IN_THEIR_LIST
        self._field, self.email = input_field("E-mail address", hint=hint, placeholder="name@example.org", most=254)
        alias, self.alias = input_field("What you call them (optional)", hint="Only you see this.")
        self.body.addWidget(self._field)
        self.body.addWidget(alias)
        self.email.setFocus()

    def send(self) -> None:
        """Ask them."""
        email, alias = self.email.text().strip(), self.alias.text().strip()
        if "@" not in email:
            self._field.set_problem("This is no e-mail address.")
            return
        self._field.set_problem(None)
        args = {"email": email} | ({"alias": alias} if alias else {})
        self.follow(self._context.mutate(self._path, args, f"{email} is asked.", tells=False), lambda _: None)
