"""One recording: its plot and numbers, notes and tags, and with whom it is shared."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from motion.desktop.dialogs.archive import ArchiveDialog
from motion.desktop.models.context import Context
from motion.desktop.models.export import Export, file_name_of
from motion.desktop.pages.about import About
from motion.desktop.pages.details import Details
from motion.desktop.pages.sharing import Sharing
from motion.desktop.plot.recording_plot import RecordingPlot
from motion.desktop.widgets.buttons import Button, Item, show_menu
from motion.desktop.widgets.layouts import column, holder, row, scrolled
from motion.desktop.widgets.states import Empty, Skeleton
from motion.desktop.widgets.texts import ElidedLabel, Picture, badge, text
from motion.desktop.words.errors import code_of, describe
from motion.desktop.words.naming import Row, title_of
from motion.desktop.words.times import date_and_time
from synovia_client import SubscriptionHandle, SynoviaError

MOST_WIDTH = 1_400
NARROW = 640


class RecordingPane(QWidget):
    """Shows the recording that is open, from the moment it is asked for.

    Attributes:
        closed: Emitted when somebody wants to go back to the list.
        widened: Emitted when somebody wants the list hidden, or shown again.
        came: Emitted when the recording that was asked for is shown.
    """

    closed = Signal()
    widened = Signal()
    came = Signal()

    def __init__(self, context: Context, icon_name: str) -> None:
        super().__init__()
        self.setObjectName("detailPane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._context = context
        self.recording_id: str | None = None
        self.view: RecordingView | None = None
        self._handle: SubscriptionHandle | None = None
        self._stack = QStackedLayout(self)
        words = "Its plot, numbers and notes appear here. Use the arrow keys to move through the list."
        self._nothing = Empty(icon_name, "Choose a recording", words)
        self._loading = Skeleton(5, 72)
        back = Button("Back to the list", "quiet", run=self.closed.emit)
        self._gone = Empty("activity", "Not here", "", row(None, back, None))
        for page in (self._nothing, self._loading, self._gone):
            self._stack.addWidget(page)

    def open(self, recording_id: str | None) -> None:
        """Show another recording; None: none."""
        if recording_id == self.recording_id:
            return
        self._leave()
        self.recording_id = recording_id
        if recording_id is None:
            self._stack.setCurrentWidget(self._nothing)
            return
        self._stack.setCurrentWidget(self._loading)
        args = {"recordingId": recording_id}
        self._handle = self._context.client.subscribe("recordings:get", args, self._told, self._failed)

    def _leave(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        if self.view is not None:
            self.view.about.commit()
            self.view.plot.close_curves()
            self._stack.removeWidget(self.view)
            self.view.deleteLater()
            self.view = None

    def _told(self, recording: Row) -> None:
        if recording["_id"] != self.recording_id:
            return
        if self.view is None:
            self.view = RecordingView(self._context, recording)
            self.view.closed.connect(self.closed)
            self.view.widened.connect(self.widened)
            self._stack.addWidget(self.view)
        else:
            self.view.show_recording(recording)
        self._stack.setCurrentWidget(self.view)
        self.came.emit()

    def _failed(self, error: SynoviaError) -> None:
        unknown = code_of(error) == "invalid_arguments"
        self._gone.set_words("There is no such recording." if unknown else describe(error))
        self._stack.setCurrentWidget(self._gone)


class RecordingView(QWidget):
    """A recording that is there."""

    closed = Signal()
    widened = Signal()

    def __init__(self, context: Context, recording: Row) -> None:
        super().__init__()
        self._context = context
        self.recording = recording
        self.plot = RecordingPlot(context.client, recording)
        self.about = About(context, recording)
        self.sharing = Sharing(context, recording)
        self._build_head()
        self._reason = text("", "note", wraps=True)
        self._right = holder(column(self.sharing, Details(recording), None, spacing=12))
        self._columns = QHBoxLayout()
        self._columns.setSpacing(12)
        self._columns.addWidget(self.about, 27)
        self._columns.addWidget(self._right, 20)
        inside = QFrame()
        inside.setMaximumWidth(MOST_WIDTH)
        body = QVBoxLayout(inside)
        body.setContentsMargins(22, 18, 22, 40)
        body.setSpacing(14)
        for part in (self._head, self._reason, self.plot):
            body.addWidget(part)
        body.addLayout(self._columns)
        body.addStretch(1)
        self.area = scrolled(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.area)
        context.people.changed.connect(self._show)
        self._show()

    def _build_head(self) -> None:
        self._title = ElidedLabel("", "title")
        self._who = ElidedLabel("", "muted")
        self._badges = row(spacing=6)
        self._by, self._archived = badge("", "accent"), badge("Archived", "warn")
        self.back = Button("Back to the list", "icon", "back", self.closed.emit)
        self.export = Button("Export", "quiet", "download", self._ask_export)
        self.archive = Button("Archive", "quiet", "archive", self._ask_archive)
        self.restore = Button("Restore", "primary", "restore", self._restore)
        self.wide = Button("Hide or show the list", "icon", "expand", self.widened.emit)
        under = row(Picture("person", 15), self._who, self._by, self._archived, spacing=6)
        under.setStretch(1, 1)
        words = column(self._title, under, spacing=2)
        head = row(self.back, words, self.export, self.archive, self.restore, self.wide, spacing=8)
        head.setStretch(1, 1)
        self._head = holder(head)

    def show_recording(self, recording: Row) -> None:
        """Show what has changed."""
        same = all(recording.get(f"{side}Knee") == self.recording.get(f"{side}Knee") for side in ("left", "right"))
        if not same:  # nothing in the desk does this, but another program may
            fresh = RecordingPlot(self._context.client, recording)
            layout = self.plot.parentWidget().layout()  # type: ignore[union-attr]
            if layout is not None:
                layout.replaceWidget(self.plot, fresh)
            self.plot.deleteLater()
            self.plot = fresh
            fresh.show_narrow(self.width() < NARROW)
        self.recording = recording
        self.about.show_recording(recording)
        self.sharing.show_recording(recording)
        self._show()

    def _show(self) -> None:
        recording, people = self.recording, self._context.people
        owner, is_archived = people.owner_of(recording), bool(recording.get("isArchived"))
        self._title.set_words(title_of(recording))
        self._who.set_words(f"{people.subject_of(recording)} · {date_and_time(recording['startTime'])}")
        self._by.setText(f"by {owner}")
        self._by.setVisible(owner is not None)
        self._archived.setVisible(is_archived)
        reason = recording.get("archiveReason")
        self._reason.setText(f"Archived because: {reason}")
        self._reason.setVisible(is_archived and bool(reason))
        self.archive.setVisible(owner is None and not is_archived)
        self.restore.setVisible(owner is None and is_archived)
        self.sharing.setVisible(owner is None)

    def show_alone(self, alone: bool) -> None:
        """Be shown without the list beside it, because the window is narrow."""
        self.back.setVisible(alone)
        self.wide.setVisible(not alone)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put one column below the other where there is little room."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._columns.direction() != direction:
            self._columns.setDirection(direction)
        self.export.setText("" if narrow else "Export")
        self.archive.setText("" if narrow else "Archive")
        self.export.setToolTip("Export" if narrow else "")
        self.archive.setToolTip("Archive" if narrow else "")
        self.plot.show_narrow(narrow)

    # --- what can be done

    def _ask_archive(self) -> None:
        ArchiveDialog(self.window(), self._context, self.recording, self.closed.emit).open()

    def _restore(self) -> None:
        self._context.mutate("recordings:restore", {"recordingId": self.recording["_id"]}, "Restored.")

    def _ask_export(self) -> None:
        kinds = (("OpenSim motion (.mot)", ".mot"), ("Table (.csv)", ".csv"))
        items = [Item(words, "download", lambda suffix=suffix: self.ask_file(suffix)) for words, suffix in kinds]  # type: ignore[misc]
        show_menu(items, self.export)

    def ask_file(self, suffix: str) -> None:
        """Ask where the recording is to be written, as a file with this ending."""
        name = f"{file_name_of(self.recording)}{suffix}"
        dialog = QFileDialog(self.window(), "Export", name, f"Motion file (*{suffix})")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)  # so that it asks before a file is replaced that gets its ending here
        dialog.fileSelected.connect(lambda chosen: self._export_as(Path(chosen), suffix))
        dialog.open()

    def _export_as(self, path: Path, suffix: str) -> None:
        """Write to a file of this name with this ending; the dialog has not asked about one that gets it only now."""
        named = path if path.suffix.lower() == suffix else path.with_name(f"{path.name}{suffix}")
        if named != path and named.exists():
            self._context.notices.error(f"{named.name} is there already. Choose another name.")
        else:
            self.export_to(named)

    def export_to(self, path: Path) -> None:
        """Write the recording to a file."""
        self.export.setEnabled(False)
        notices = self._context.notices

        def done(error: BaseException | None) -> None:
            QTimer.singleShot(0, self, lambda: self.export.setEnabled(True))
            if error is None:
                notices.say(f"Saved {path.name}.")
            else:
                notices.error(f"{path.name} could not be written. {describe(error)}")

        Export(self._context.client, self.recording, path, done)
