"""The way in: with the browser, by a code that comes by mail, by a name on a server for development."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from motion.desktop.models.session import Session
from motion.desktop.widgets.buttons import Button, Kind
from motion.desktop.widgets.fields import Field, Input
from motion.desktop.widgets.layouts import column, holder
from motion.desktop.widgets.states import Skeleton
from motion.desktop.widgets.texts import divider, text
from motion.desktop.words.errors import code_of, sentence
from synovia_client import AuthenticationError, SentCode, SignInError, SynoviaError
from synovia_qt import SignIn

AGAIN_MS = 3_000
TALL = 42
LIKE_AN_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class SignInCard(QWidget):
    """Asks who comes, in every way that the server offers.

    Args:
        session: What goes on as who has signed in.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._client, self._tokens = session.stranger()
        self._client.setParent(self)
        self.sign_in = SignIn(self._client, parent=self)
        self._account: str | None = None
        self._development_token: str | None = None
        self.email = Input(placeholder="name@example.org", most=254)
        self.code = Input(placeholder="12 345 678", most=20)
        self.code.setProperty("look", "code")
        self._problem = text("", "problem", wraps=True)
        self._problem.hide()
        self._buttons: list[Button] = []
        self._build()
        self.sign_in.waysChanged.connect(self._offer)
        self.sign_in.codeSent.connect(self._ask_code)
        self.sign_in.failed.connect(self._failed)
        self.sign_in.succeeded.connect(self._succeeded)
        self.sign_in.busyChanged.connect(lambda busy: self._set_busy(busy))
        self.sign_in.refresh()

    def _build(self) -> None:
        again = self._session.problem is not None
        self._ways, self._code_ways = column(spacing=14), column(spacing=14)
        self._ways_page, self._code_page = holder(self._ways), holder(self._code_ways)
        self._code_page.hide()
        self._waiting = Skeleton(2, 36)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(text("Sign in", "hero"))
        layout.addWidget(text("Recordings, live from the measuring room to the patient.", "lead", wraps=True))
        if again:
            layout.addWidget(text(sentence(str(self._session.problem)), "note", wraps=True))
        layout.addSpacing(4)
        for part in (self._waiting, self._ways_page, self._code_page, self._problem):
            layout.addWidget(part)
        layout.addWidget(text(f"Server: {self._session.url}", "hint", wraps=True))
        self._build_code()

    def _build_code(self) -> None:
        self._sent = text("", wraps=True)
        self._code_ways.addWidget(self._sent)
        self._code_ways.addWidget(Field("Code", self.code))
        self.code.returnPressed.connect(self._enter_code)
        self._add("Sign in", "primary", self._enter_code, self._code_ways)
        self._add("Use another address", "plain", self._ask_address, self._code_ways)

    @property
    def problem(self) -> str:
        """What is wrong; empty: nothing is."""
        return self._problem.text() if not self._problem.isHidden() else ""

    # --- the ways

    def _offer(self) -> None:
        ways = self.sign_in.ways
        if ways is None or self._ways.count():
            return
        self._waiting.hide()
        self._problem.hide()
        for way in ways.issuers:
            self._add(f"Continue with {way.name}", "quiet", lambda issuer=way.issuer: self.sign_in.with_browser(issuer))  # type: ignore[misc]
        if ways.issuers and (ways.email or ways.development):
            self._ways.addWidget(divider())
        if ways.email or ways.development:
            self._ways.addWidget(Field("E-mail address", self.email))
            self.email.returnPressed.connect(self.send)
            self.email.setFocus()
        if ways.development:
            self._add("Sign in for development", "primary", self._as_developer)
        if ways.email:
            kind: Kind = "quiet" if ways.development else "primary"
            self._add("Send me a code", kind, lambda: self._with_address(self.sign_in.send_code))
        if not self._ways.count():
            self._tell("No way to sign in is set up on this server. Its operator finds them in docs/security.md.")

    def _add(self, words: str, kind: Kind, run: Callable[[], object], layout: QVBoxLayout | None = None) -> None:
        button = Button(words, kind, run=run)
        button.setMinimumHeight(TALL)
        self._buttons.append(button)
        (layout or self._ways).addWidget(button)

    def send(self) -> None:
        """Sign in by the address that is written: at once where the server allows that, else by a code."""
        ways = self.sign_in.ways
        if ways is not None and ways.development:
            self._as_developer()
        elif ways is not None and ways.email:
            self._with_address(self.sign_in.send_code)

    def _with_address(self, run: Callable[[str], object]) -> None:
        address = self.email.text().strip()
        if not LIKE_AN_ADDRESS.fullmatch(address):
            self._tell("This is no e-mail address.")
            return
        self._problem.hide()
        self._account = address
        run(address)

    def _as_developer(self) -> None:
        self._development_token = f"dev:{self.email.text().strip()}"
        self._with_address(self.sign_in.as_developer)

    def _ask_code(self, sent: SentCode) -> None:
        """Ask for the code that was sent."""
        minutes = max(1, sent.expires_in // 60)
        self._sent.setText(f"We have sent a code to {sent.email}. It is good for {minutes} minutes.")
        self._show_code(True)
        self.code.clear()
        self.code.setFocus()

    def _ask_address(self) -> None:
        """Go back, for who has no mail: the address may be wrong."""
        self.sign_in.cancel()
        self._show_code(False)
        self.email.setFocus()
        self.email.selectAll()

    def _show_code(self, asks_code: bool) -> None:
        self._problem.hide()
        self._ways_page.setVisible(not asks_code)
        self._code_page.setVisible(asks_code)

    def _enter_code(self) -> None:
        self._problem.hide()
        self.sign_in.enter_code("".join(letter for letter in self.code.text() if letter.isdigit()))

    # --- what comes of it

    def _set_busy(self, busy: bool) -> None:
        for button in self._buttons:
            button.setEnabled(not busy)

    def _failed(self, error: SynoviaError) -> None:
        self._set_busy(False)
        if self.sign_in.ways is None:
            self._tell("The server cannot be reached. Trying again…")
            QTimer.singleShot(AGAIN_MS, self, self.sign_in.refresh)
        elif isinstance(error, AuthenticationError):
            asked_code = not self._code_page.isHidden()
            wrong = "This is not the code, or it is too old." if asked_code else "This was not accepted."
            self._tell(wrong)
        elif code_of(error) != "cancelled":
            self._tell(sentence(error.message if isinstance(error, SignInError) else str(error)))

    def _tell(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.show()

    def _succeeded(self) -> None:
        """Find out who it is, for whoever came by a browser, and go on."""
        if self._account is not None:
            self._go_on(self._account)
            return
        call = self._client.query("users:me", {})
        call.succeeded.connect(lambda me: self._go_on(str(me["email"]) if me else f"unnamed-{uuid.uuid4()}"))
        call.failed.connect(lambda error: self._go_on(f"unnamed-{uuid.uuid4()}"))

    def _go_on(self, account: str) -> None:
        tokens, development = self._tokens.held, self._development_token
        self._client.close()
        self._session.begin(account, tokens, development)
