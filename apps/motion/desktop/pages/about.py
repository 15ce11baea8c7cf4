"""Notes, who was measured, exercise and tags: shown as they will be at once, saved when the field is left."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QCompleter, QFrame, QPlainTextEdit, QStackedLayout, QVBoxLayout, QWidget

from motion.desktop.models.context import Context
from motion.desktop.models.edits import updated
from motion.desktop.pages.subject_field import SubjectField
from motion.desktop.widgets.fields import Draft, Field, Input
from motion.desktop.widgets.layouts import FlowLayout, emptied, holder
from motion.desktop.widgets.tags import TagField
from motion.desktop.widgets.texts import badge, text
from motion.desktop.words.naming import Row

EXERCISES = ["walking", "running", "stairs", "squat", "sit to stand", "cycling", "heel slides"]
MOST_NOTES = 10_000


class About(QFrame):
    """What is written about a recording; its owner can change it, unless it is archived."""

    def __init__(self, context: Context, recording: Row) -> None:
        super().__init__()
        self.setObjectName("card")
        self._context = context
        self._recording = recording
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._editor())
        self._reader = QVBoxLayout()
        self._reader.setContentsMargins(16, 14, 16, 16)
        self._reader.setSpacing(10)
        self._stack.addWidget(holder(self._reader))
        self.show_recording(recording)

    def _editor(self) -> QWidget:
        self.notes = QPlainTextEdit()
        self.notes.setPlaceholderText("The first line is the title in lists.")
        self.notes.setTabChangesFocus(True)
        self.notes.setFixedHeight(132)
        self.exercise = Input(placeholder="walking")
        self.exercise.setCompleter(QCompleter(EXERCISES, self.exercise))
        self.tags = TagField()
        self.subject = SubjectField("Who was measured?", self._context.people, is_optional=True)
        self._notes_draft = Draft(self.notes, lambda words: self._save(notes=words[:MOST_NOTES]))
        self._exercise_draft = Draft(self.exercise, lambda words: self._save(exerciseType=words.strip()))
        self.tags.edited.connect(lambda tags: self._save(tags=tags))
        self.subject.settled.connect(self._save_subject)
        layout = QVBoxLayout()
        layout.setContentsMargins(16, 14, 16, 16)
        layout.setSpacing(12)
        fields = (
            Field("Notes", self.notes),
            self.subject,
            Field("Exercise", self.exercise),
            Field("Tags", self.tags),
        )
        for field in fields:
            layout.addWidget(field)
        layout.addStretch(1)
        return holder(layout)

    def show_recording(self, recording: Row) -> None:
        """Show what is saved; what is being written stays."""
        self._recording = recording
        can_edit = recording["ownerId"] == self._context.people.my_id and not recording.get("isArchived")
        self._stack.setCurrentIndex(0 if can_edit else 1)
        if can_edit:
            self._notes_draft.show_saved(str(recording.get("notes") or ""))
            self._exercise_draft.show_saved(str(recording.get("exerciseType") or ""))
            self.tags.set_tags(list(recording.get("tags") or ()))
            self.subject.show_subject(recording)
        else:
            self._show_read_only(recording)

    def commit(self) -> None:
        """Save what is being written."""
        if self._stack.currentIndex() == 0:
            self._notes_draft.commit()
            self._exercise_draft.commit()

    def _show_read_only(self, recording: Row) -> None:
        emptied(self._reader)
        notes = str(recording.get("notes") or "")
        self._reader.addWidget(text("Notes", "section"))
        self._reader.addWidget(text(notes or "No notes.", "body" if notes else "muted", wraps=True))
        if recording.get("exerciseType"):
            self._reader.addWidget(text(f"Exercise: {recording['exerciseType']}", "muted", wraps=True))
        if recording.get("tags"):
            flow = FlowLayout(6)
            for tag in recording["tags"]:
                flow.addWidget(badge(str(tag)))
            self._reader.addWidget(holder(flow))
        self._reader.addStretch(1)

    def _save(self, **changes: Any) -> None:
        args = {"recordingId": self._recording["_id"], **changes}
        self._context.mutate("recordings:update", args, expected=updated)

    def _save_subject(self, subject: dict[str, str]) -> None:
        self._save(subjectId=subject.get("subjectId", ""), subjectAlias=subject.get("subjectAlias", ""))
