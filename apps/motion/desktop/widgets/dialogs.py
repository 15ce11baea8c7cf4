"""The frame of a dialog: a title, what is filled in, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from motion.desktop.widgets.buttons import Button, Kind
from motion.desktop.widgets.fields import Field, Input
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.texts import text
from motion.desktop.words.errors import describe
from synovia_client import SynoviaError
from synovia_qt import Call

FIELDS: tuple[type[QWidget], ...] = (QPlainTextEdit, QComboBox, QLineEdit)


class FormDialog(QDialog):
    """Asks something; it stays open until what it sends has succeeded.

    Args:
        title: What it is about.
        submit: The word on its button.
        kind: How that button looks.
        width: In logical pixels.
    """

    def __init__(self, parent: QWidget, title: str, submit: str, kind: Kind = "primary", width: int = 460) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        strut = QWidget()
        strut.setFixedSize(width - 48, 0)
        heading = text(title, "section")
        heading.setStyleSheet("font-size: 17px;")
        self.body = QVBoxLayout()
        self.body.setSpacing(16)
        self._problem = text("", "problem", wraps=True)
        self._problem.hide()
        self.submit = Button(submit, kind, run=self.send)
        self.submit.setDefault(True)
        self.cancel = Button("Cancel", "quiet", run=self.reject)
        self.cancel.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 24)
        layout.setSpacing(12)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.addWidget(heading)
        layout.addWidget(strut)
        layout.addLayout(self.body)
        layout.addWidget(self._problem)
        layout.addLayout(row(None, self.cancel, self.submit, margins=(0, 4, 0, 0)))

    def send(self) -> None:
        """Do what was asked for; dialogs override it."""
        raise NotImplementedError

    def follow(self, call: Call, done: Callable[[object], object]) -> None:
        """Wait for a call: close when it has succeeded, say why when it has not."""
        self.set_problem(None)
        self.submit.setEnabled(False)
        call.succeeded.connect(lambda result: self._done(lambda: done(result)))
        call.failed.connect(self._failed)

    def set_problem(self, problem: str | None) -> None:
        """Say what is wrong; None: nothing is."""
        self._problem.setText(problem or "")
        self._problem.setVisible(problem is not None)

    def _done(self, done: Callable[[], object]) -> None:
        self.accept()
        done()

    def _failed(self, error: SynoviaError) -> None:
        self.submit.setEnabled(True)
        self.set_problem(describe(error))

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the first field, unless the dialog has said where."""
        super().showEvent(event)
        focused = self.focusWidget()
        fields = [each for kind in FIELDS for each in self.findChildren(kind)]
        if focused not in fields and fields:
            first = next((each for each in fields if each.isVisible() and each.isEnabled()), None)
            if first is not None:
                first.setFocus()


def input_field(
    label: str, value: str = "", hint: str = "", placeholder: str = "", most: int = 200
) -> tuple[Field, Input]:
    """Make a field of one line."""
    inner = Input(value, placeholder, most)
    return Field(label, inner, hint), inner
