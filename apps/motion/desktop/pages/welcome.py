"""The first visit: what one is here."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from motion.desktop.models.session import Session
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.dialogs import input_field
from motion.desktop.widgets.layouts import column
from motion.desktop.widgets.texts import Picture, restyle, text
from motion.desktop.words.errors import describe
from synovia_client import SynoviaError
from synovia_qt import SynoviaClient

ROLES = (
    ("physiotherapist", "Physiotherapist", "I measure patients, keep their recordings and share them.", "activity"),
    ("patient", "Patient", "I want to see my own recordings and how they change.", "person"),
)


class RoleCard(QFrame):
    """One role to choose."""

    chosen = Signal()

    def __init__(self, title: str, words: str, icon_name: str) -> None:
        super().__init__()
        self.setObjectName("role")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(14)
        layout.addWidget(Picture(icon_name, 22, "accent"))
        layout.addLayout(column(text(title, "strong"), text(words, "small", wraps=True), spacing=1), 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose it."""
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose it by the space bar or Enter."""
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)


class WelcomeCard(QWidget):
    """Asks how somebody who is new will use the desk."""

    def __init__(self, session: Session, client: SynoviaClient) -> None:
        super().__init__()
        self._client = client
        self.role: str | None = None
        self.cards = {role: RoleCard(title, words, icon_name) for role, title, words, icon_name in ROLES}
        self._name_field, self.name = input_field("Your name", hint="This is how your contacts see you.")
        self._problem = text("", "problem", wraps=True)
        self._problem.hide()
        self.submit = Button("Open the desk", "primary", run=self.send)
        self.submit.setMinimumHeight(42)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(text("Welcome", "hero"))
        layout.addWidget(text("Tell us how you will use the desk.", "lead"))
        layout.addWidget(text("I am a", "label"))
        for role, card in self.cards.items():
            card.chosen.connect(lambda role=role: self.choose(role))
            layout.addWidget(card)
        for widget in (self._name_field, self._problem, self.submit):
            layout.addWidget(widget)
        layout.addWidget(
            Button("Sign in as somebody else", "plain", run=session.sign_out), 0, Qt.AlignmentFlag.AlignHCenter
        )

    @property
    def problem(self) -> str:
        """What is wrong."""
        return self._problem.text()

    def choose(self, role: str) -> None:
        """Be that."""
        self.role = role
        self._problem.hide()
        for name, card in self.cards.items():
            restyle(card, "chosen", "true" if name == role else "false")

    def send(self) -> None:
        """Register."""
        if self.role is None:
            self._tell("Choose what you are here first.")
            return
        self._problem.hide()
        self.submit.setEnabled(False)
        name = self.name.text().strip()
        call = self._client.mutation("users:register", {"role": self.role} | ({"name": name} if name else {}))
        call.failed.connect(self._failed)

    def _failed(self, error: SynoviaError) -> None:
        self.submit.setEnabled(True)
        self._tell(describe(error))

    def _tell(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.show()
