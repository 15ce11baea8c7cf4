"""Putting a recording away, with a reason."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from motion.desktop.models.context import Context
from motion.desktop.widgets.dialogs import FormDialog, input_field
from motion.desktop.widgets.texts import text
from motion.desktop.words.naming import Row

WORDS = (
    "It leaves all lists, also those of the people it is shared with. You can restore it for 30 days; "
    "then it is deleted for good."
)


class ArchiveDialog(FormDialog):
    """Asks why a recording is archived.

    Args:
        recording: Which.
        done: Called when it is in the archive.
    """

    def __init__(self, parent: QWidget, context: Context, recording: Row, done: Callable[[], object]) -> None:
        super().__init__(parent, "Archive this recording", "Archive")
        self._context, self._recording, self._after = context, recording, done
        field, self.reason = input_field("Reason (optional)", placeholder="Sensor slipped", most=2_000)
        self.body.addWidget(text(WORDS, wraps=True))
        self.body.addWidget(field)
        self.reason.setFocus()

    def send(self) -> None:
        """Archive it."""
        reason, recording_id = self.reason.text().strip(), self._recording["_id"]
        args = {"recordingId": recording_id} | ({"reason": reason} if reason else {})
        context = self._context
        self.follow(context.mutate("recordings:archive", args, tells=False), lambda _: self._archived())

    def _archived(self) -> None:
        context, args = self._context, {"recordingId": self._recording["_id"]}
        self._after()
        context.notices.say("Archived.", ("Undo", lambda: context.mutate("recordings:restore", args, "Restored.")))
