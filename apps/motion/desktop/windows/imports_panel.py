"""How far files are, what was noticed in them, or why they were refused."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QProgressBar, QVBoxLayout, QWidget

from motion.desktop.models.imports import Import, Imports
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import column, holder, row, scrolled
from motion.desktop.widgets.reading_fields import ReadingFields
from motion.desktop.widgets.texts import ElidedLabel, Picture, restyle, text

WIDTH, MOST_PART = 420, 0.6
DONE_SHOWN_MS = 6_000
ICONS = {"failed": ("alert", "bad"), "done": ("check", "good"), "warned": ("alert", "warn")}


class ImportRow(QWidget):
    """One file."""

    def __init__(self, imports: Imports, one: Import, open_recording: Callable[[str], object]) -> None:
        super().__init__()
        self._imports, self._number = imports, one.number
        self._remedy: QWidget | None = None
        self._picture = Picture("upload", 18)
        self._state = text("", "small", wraps=True)
        self._warnings = text("", wraps=True)
        self._warnings.setObjectName("warnings")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 1_000)
        self._open = Button("Open", "plain", run=lambda: open_recording(str(self._recording_id)))
        self._recording_id: str | None = None
        self._close = Button("Dismiss", "icon", "close", lambda: imports.dismiss(one.number), size=16)
        self._inside = column(
            ElidedLabel(one.path.name, "strong"), self._state, self._progress, self._warnings, spacing=4
        )
        layout = row(self._picture, self._inside, self._open, self._close, spacing=10, margins=(8, 6, 4, 6))
        layout.setStretch(1, 1)
        for widget in (self._picture, self._open, self._close):
            layout.setAlignment(widget, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)
        self.show_import(one)

    def show_import(self, one: Import) -> None:
        """Show how far it is."""
        self._recording_id = one.recording_id
        look = "warned" if one.state == "done" and one.warnings else one.state
        self._picture.show_icon(*ICONS.get(look, ("upload", "ink_3")))
        self._state.setText(_words(one))
        restyle(self._state, "role", "problem" if one.state == "failed" else "small")
        self._progress.setVisible(one.state in ("waiting", "reading", "sending"))
        self._progress.setValue(round(one.part * 1_000))
        self._warnings.setText("\n".join(f"• {warning}" for warning in one.warnings))
        self._warnings.setVisible(one.state == "done" and bool(one.warnings))
        self._open.setVisible(one.recording_id is not None)
        self._close.setVisible(one.state in ("failed", "done"))
        self._show_remedy(one)

    def _show_remedy(self, one: Import) -> None:
        if self._remedy is not None:
            self._remedy.hide()
            self._remedy.deleteLater()
            self._remedy = None
        if one.state == "failed" and one.remedies:
            fields = ReadingFields(one.remedies, one.columns)
            again = Button("Import again", "quiet", run=lambda: self._imports.again(one.number, fields.reading))
            self._remedy = holder(column(fields, row(again, None), spacing=10, margins=(0, 6, 0, 4)))
            self._inside.addWidget(self._remedy)


def _words(one: Import) -> str:
    if one.state == "failed":
        return one.problem
    if one.state == "sending":
        return f"Sending, {one.part:.0%}".replace("%", " %") if one.part else "Waiting for the connection…"
    done = "Imported" + (
        "" if not one.warnings else ", with a warning" if len(one.warnings) == 1 else ", with warnings"
    )
    return {"waiting": "Waiting", "reading": "Reading the file…", "done": done}[one.state]


class ImportsPanel(QFrame):
    """The files of a window, in its lower left corner.

    Args:
        window: Over what it lies.
        open_recording: Shows a recording.
        left: Tells how far from the left it is to be.
    """

    def __init__(
        self, window: QWidget, imports: Imports, open_recording: Callable[[str], object], left: Callable[[], int]
    ) -> None:
        super().__init__(window)
        self.setObjectName("panel")
        self._window, self._imports, self._left, self._open = window, imports, left, open_recording
        self.rows: dict[int, ImportRow] = {}
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(8, 8, 8, 8)
        self._rows.setSpacing(4)
        self._list = holder(self._rows)
        self._area = scrolled(self._list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._area)
        imports.changed.connect(self._changed)
        imports.dismissed.connect(self._dismissed)
        window.installEventFilter(self)
        self.hide()

    def _changed(self, one: Import) -> None:
        if one.number not in self.rows:
            self.rows[one.number] = ImportRow(self._imports, one, self._open)
            self._rows.insertWidget(0, self.rows[one.number])  # the newest above, where it is seen
        else:
            self.rows[one.number].show_import(one)
        if one.state == "done" and not one.warnings:
            QTimer.singleShot(DONE_SHOWN_MS, self, lambda: self._imports.dismiss(one.number))
        self._settle()

    def _dismissed(self, number: int) -> None:
        gone = self.rows.pop(number, None)
        if gone is not None:
            gone.hide()
            gone.deleteLater()
        self._settle()

    def _settle(self) -> None:
        self.setVisible(bool(self.rows))
        QTimer.singleShot(0, self, self._place)

    def _place(self) -> None:
        if not self.rows:
            return
        width = min(WIDTH, self._window.width() - self._left() - 32)
        self._list.setFixedWidth(width - 2)
        self._rows.activate()
        height = min(self._list.sizeHint().height() + 2, round(self._window.height() * MOST_PART))
        self.setGeometry(self._left() + 20, self._window.height() - height - 20, width, height)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
