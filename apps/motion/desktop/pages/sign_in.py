"""The way in: by a name on a server for development."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.models.session import Session
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.dialogs import input_field
from motion.desktop.widgets.texts import text
from motion.desktop.words.errors import describe
from synovia_client import SynoviaError
from synovia_qt import SynoviaClient


class SignInCard(QWidget):
    """Asks who comes.

    Args:
        session: What takes over the client that has signed in.
    """

    busyChanged = Signal(bool)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._client: SynoviaClient | None = None
        self.field, self.email = input_field("E-mail address", placeholder="anna.keller@example.org", most=254)
        self.submit = Button("Sign in", "primary", run=self.send)
        self.submit.setMinimumHeight(42)
        self.email.returnPressed.connect(self.send)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(text("Sign in", "hero"))
        layout.addWidget(text("Recordings, live from the measuring room to the patient.", "lead", wraps=True))
        layout.addSpacing(6)
        layout.addWidget(self.field)
        layout.addWidget(self.submit)
        layout.addWidget(text(f"Server for development: {session.url}", "hint", wraps=True))

    def send(self) -> None:
        """Sign in as the address that is written."""
        account = self.email.text().strip()
        if not account or self._client is not None:
            return
        self.field.set_problem(None)
        self.submit.setEnabled(False)
        try:
            client = self._client = self._session.make_client(account)
        except SynoviaError as error:
            self._fail(error)
            return
        call = client.sign_in(f"dev:{account}")
        call.succeeded.connect(lambda _: self._done(client, account))
        call.failed.connect(self._fail)

    def _done(self, client: SynoviaClient, account: str) -> None:
        self._client = None
        self.submit.setEnabled(True)
        self._session.begin(client, account, f"dev:{account}")

    def _fail(self, error: SynoviaError) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self.submit.setEnabled(True)
        self.field.set_problem(describe(error))
