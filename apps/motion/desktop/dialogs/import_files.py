"""Choosing files, and saying what they are of. Files that are dropped on the window do not ask."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from motion.desktop.models.context import Context
from motion.desktop.models.imports import ACCEPTED, Imports
from motion.desktop.pages.subject_field import SubjectField
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.dialogs import FormDialog, input_field
from motion.desktop.widgets.fields import Field
from motion.desktop.widgets.layouts import holder, row
from motion.desktop.widgets.reading_fields import ReadingFields
from motion.desktop.widgets.texts import ElidedLabel
from motion.desktop.words.naming import words_of
from motion.desktop.words.times import count

HINT = "Angles of one knee or both: OpenSim, a table (CSV, Excel), Vicon, Xsens or C3D."
UNTOLD = ("sample_rate", "time_unit", "angle_unit", "fill_gaps")


class ImportDialog(FormDialog):
    """Asks for files."""

    def __init__(self, parent: QWidget, context: Context, imports: Imports) -> None:
        super().__init__(parent, "Import recordings", "Import")
        self._imports = imports
        self.paths: list[Path] = []
        self._chosen = ElidedLabel("No file chosen", "muted")
        self.choose = Button("Choose files…", "quiet", "upload", self._choose)
        files = row(self.choose, self._chosen, spacing=10)
        files.setStretch(1, 1)
        self.subject = SubjectField("Who was measured?", context.people, is_optional=True)
        exercise, self.exercise = input_field("Exercise", placeholder="walking")
        tags, self.tags = input_field("Tags", hint="With commas between them.", placeholder="post-op, week 3")
        self.reading = ReadingFields(UNTOLD)
        self.reading.hide()
        self.more = Button("What the files do not tell", "plain", run=self._more)
        parts = (Field("Files", holder(files), HINT), self.subject, exercise, tags, holder(row(self.more, None)))
        for part in (*parts, self.reading):
            self.body.addWidget(part)
        self.submit.setEnabled(False)

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Choose files", "", f"Motion files ({ACCEPTED});;All files (*)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda chosen: self.take([Path(path) for path in chosen]))
        dialog.open()

    def take(self, paths: list[Path]) -> None:
        """Import these."""
        self.paths = paths
        names = paths[0].name if len(paths) == 1 else count(len(paths), "file")
        self._chosen.set_words(names if paths else "No file chosen")
        self.submit.setEnabled(bool(paths))

    def _more(self) -> None:
        self.reading.setVisible(self.reading.isHidden())

    def send(self) -> None:
        """Import them."""
        exercise, tags = self.exercise.text().strip(), words_of(self.tags.text())
        about = (
            {**self.subject.subject}
            | ({"exerciseType": exercise} if exercise else {})
            | ({"tags": tags} if tags else {})
        )
        self._imports.add(self.paths, about, self.reading.reading)
        self.accept()
