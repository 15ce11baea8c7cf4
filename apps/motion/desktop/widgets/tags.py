"""Tags that are entered one after the other."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.fields import Input
from motion.desktop.widgets.layouts import FlowLayout
from motion.desktop.widgets.texts import restyle, text
from motion.desktop.words.naming import words_of


class TagField(QFrame):
    """Tags, each with a cross, and room for another one; ``edited`` is emitted with all of them when one came or went."""

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tagField")
        self._tags: list[str] = []
        self._flow = FlowLayout(6, (8, 6, 8, 6))
        self.input = Input(most=100)
        self.input.setProperty("look", "bare")
        self.input.setMinimumWidth(110)
        self.input.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.input.setAccessibleName("Add a tag")
        self.input.installEventFilter(self)
        self._flow.addWidget(self.input)
        self.setLayout(self._flow)
        self.setFocusProxy(self.input)
        self._show()

    @property
    def tags(self) -> list[str]:
        """The tags."""
        return list(self._tags)

    def set_tags(self, tags: list[str]) -> None:
        """Show these."""
        if tags != self._tags:
            self._tags = list(tags)
            self._show()

    def add(self) -> None:
        """Add what is written."""
        added = [tag for tag in words_of(self.input.text()) if tag not in self._tags]
        self.input.clear()
        if added:
            self._change([*self._tags, *added])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Add a tag by Enter, a comma or leaving; take the last one back by Backspace."""
        if event.type() == QEvent.Type.FocusIn:
            restyle(self, "active", "true")
        elif event.type() == QEvent.Type.FocusOut:
            restyle(self, "active", "false")
            self.add()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pressed(event)
        return False

    def _pressed(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Comma):
            self.add()
        elif event.key() == Qt.Key.Key_Backspace and not self.input.text() and self._tags:
            self._change(self._tags[:-1])
        elif event.key() == Qt.Key.Key_Escape:
            self.input.clear()
            self.input.clearFocus()
        else:
            return False
        return True

    def _change(self, tags: list[str]) -> None:
        self._tags = tags
        self._show()
        self.edited.emit(list(tags))

    def _show(self) -> None:
        while self._flow.count() > 1:
            item = self._flow.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for place, tag in enumerate(self._tags):
            self._flow.insert_widget(place, self._chip(tag))
        self.input.setPlaceholderText("" if self._tags else "post-op, week 3, …")
        self.updateGeometry()

    def _chip(self, tag: str) -> QFrame:
        chip = QFrame()
        chip.setObjectName("tag")
        chip.setFixedHeight(24)
        remove = Button(
            f"Remove tag {tag}", "icon", "close", lambda: self._change([t for t in self._tags if t != tag]), size=12
        )
        remove.setStyleSheet("min-width: 18px; max-width: 18px; min-height: 18px; max-height: 18px;")
        layout = QHBoxLayout(chip)
        layout.setContentsMargins(9, 0, 3, 0)
        layout.setSpacing(2)
        label = text(tag)
        label.setMaximumWidth(240)
        layout.addWidget(label)
        layout.addWidget(remove)
        return chip
