"""Fields with a label above and a hint below, and drafts that are saved when they are left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from motion.desktop.style.icons import icon, paint_icon
from motion.desktop.style.theme import theme
from motion.desktop.widgets.texts import restyle, text


class Field(QWidget):
    """A label, what is filled in, and below it a hint or what is wrong."""

    def __init__(self, label: str, inner: QWidget, hint: str = "") -> None:
        super().__init__()
        self.inner = inner
        self._hint = hint
        self._below = text(hint, "hint", wraps=True)
        self._below.setVisible(bool(hint))
        title = text(label, "label")
        title.setBuddy(inner)
        inner.setAccessibleName(label)
        inner.setAccessibleDescription(hint)
        self.setFocusProxy(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for part in (title, inner, self._below):
            layout.addWidget(part)

    def set_problem(self, problem: str | None) -> None:
        """Say what is wrong; None: nothing is."""
        self._below.setText(problem or self._hint)
        self._below.setVisible(bool(problem or self._hint))
        restyle(self._below, "role", "problem" if problem else "hint")
        restyle(self.inner, "wrong", "true" if problem else "false")


class Input(QLineEdit):
    """One line of text."""

    def __init__(self, value: str = "", placeholder: str = "", most: int = 200) -> None:
        super().__init__(value)
        self.setPlaceholderText(placeholder)
        self.setMaxLength(most)


class SearchInput(Input):
    """What is searched for; Esc empties it."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder)
        self.setProperty("look", "search")
        self.setAccessibleName(placeholder)
        self._picture = self.addAction(icon("search", "#5a6c6b", 16), QLineEdit.ActionPosition.LeadingPosition)
        theme().changed.connect(self._recolour)
        self._recolour()

    def _recolour(self) -> None:
        self._picture.setIcon(icon("search", theme().palette.ink_3, 16))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Empty it with Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class Choice(QComboBox):
    """One of a few things, each with a value; ``chosen`` is emitted with the value that somebody chose."""

    chosen = Signal(object)

    def __init__(self, options: Sequence[tuple[str, str]] = (), value: str = "", look: str = "") -> None:
        super().__init__()
        self.setProperty("look", look)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_options(options, value)
        self.activated.connect(lambda _: self.chosen.emit(self.value))
        theme().changed.connect(self.update)

    @property
    def value(self) -> str:
        """The value of what is chosen."""
        return str(self.currentData() or "")

    def set_options(self, options: Sequence[tuple[str, str]], value: str) -> None:
        """Offer these, value and text each, of which one is chosen."""
        before = [(str(self.itemData(place)), self.itemText(place)) for place in range(self.count())]
        if before != list(options):
            self.clear()
            for data, words in options:
                self.addItem(words, data)
        self.setCurrentIndex(max(0, self.findData(value)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it with the arrow of the desk."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.translate(self.width() - 14, self.height() / 2)
        painter.rotate(90)
        paint_icon(painter, "chevron", QRectF(-7, -7, 14, 14), theme().palette.colour("ink_3"))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page: nobody wants to change what was measured by scrolling past it."""
        event.ignore()


class Draft(QObject):
    """A text that is being written: others' changes come in while nobody writes, Esc goes back, leaving it saves.

    Args:
        field: Where it is written.
        save: Called with the text when it is another.
    """

    def __init__(self, field: QLineEdit | QPlainTextEdit, save: Callable[[str], object]) -> None:
        super().__init__(field)
        self._field = field
        self._save = save
        self._saved = ""
        field.installEventFilter(self)

    def show_saved(self, value: str) -> None:
        """Show what is saved, unless somebody writes something else."""
        is_written = self._field.hasFocus() and self._text() != self._saved
        self._saved = value
        if not is_written and self._text() != value:
            self._set(value)

    def commit(self) -> None:
        """Save what is written, if it is another."""
        written = self._text()
        if written != self._saved:
            self._saved = written
            self._save(written)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Save when the field is left, or by Enter; go back by Esc."""
        if event.type() == QEvent.Type.FocusOut:
            self.commit()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pressed(event)
        return False

    def _pressed(self, event: QKeyEvent) -> bool:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self._set(self._saved)
        elif enter and (control or isinstance(self._field, QLineEdit)):
            self.commit()
        else:
            return False
        self._field.clearFocus()
        return True

    def _text(self) -> str:
        return self._field.text() if isinstance(self._field, QLineEdit) else self._field.toPlainText()

    def _set(self, value: str) -> None:
        if isinstance(self._field, QLineEdit):
            self._field.setText(value)
        else:
            self._field.setPlainText(value)
