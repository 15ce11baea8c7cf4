"""The recordings of a place, and beside them the one that is open."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from motion.desktop.models.context import Context
from motion.desktop.models.recordings import ShownRecordings, source_of
from motion.desktop.pages.filter_bar import FilterBar
from motion.desktop.pages.recording import RecordingPane
from motion.desktop.pages.recording_list import RecordingList
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import holder, row
from motion.desktop.widgets.states import Empty, Skeleton
from motion.desktop.widgets.texts import badge, text
from motion.desktop.words.errors import describe
from motion.desktop.words.times import count
from synovia_client import SynoviaError

LIST_WIDTH = 380
BOTH_FROM = 900
"""The page's width from which on list and recording stand side by side, in logical pixels."""


@dataclass(frozen=True)
class Words:
    """What a place is called, and what it says when it is empty."""

    title: str
    icon_name: str
    empty: str
    hint: str


WORDS = {
    "recordings": Words(
        "Recordings",
        "activity",
        "No recordings yet",
        "Drop motion files anywhere on this window, or record live.",
    ),
    "of-me": Words(
        "Recordings of me",
        "person",
        "Nobody has recorded you yet",
        "When your physiotherapist records you, it appears here at once.",
    ),
    "shared": Words(
        "Shared with me",
        "share",
        "Nothing is shared with you",
        "Recordings that your contacts share with you appear here.",
    ),
    "archive": Words(
        "Archive",
        "archive",
        "The archive is empty",
        "What you archive stays here for 30 days and can be restored.",
    ),
}


class RecordingsPage(QWidget):
    """A list of recordings, and the one that is open.

    Args:
        place: Which list.
    """

    def __init__(self, context: Context, place: str) -> None:
        super().__init__()
        self._context, self.place, self._words = context, place, WORDS[place]
        self._is_wide = False
        self.live = source_of(context.client, place, self)
        self.shown = ShownRecordings(self.live, context.people, place, self)
        self.list = RecordingList(self.shown, context)
        self.filter_bar = FilterBar(self.shown)
        self.pane = RecordingPane(context, self._words.icon_name)
        self._amount = badge("", "neutral")
        self._states = QStackedWidget()
        self._build_states()
        self._list_pane = self._build_list()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._list_pane)
        layout.addWidget(self.pane, 1)
        self._connect()
        self._show_state()

    def _build_states(self) -> None:
        words = self._words
        self._loading = Skeleton(8, 62)
        self._problem = Empty("alert", "The list cannot be shown")
        clear = Button("Show everything", run=self.filter_bar.show_all)
        self._nothing_found = Empty("search", "Nothing matches", "", row(None, clear, None))
        start = None
        if self.place == "recordings":
            navigator = self._context.navigator
            import_ = Button("Import a file", "primary", "upload", navigator.ask_import)
            start = row(None, import_, Button("Record live", "quiet", "live", lambda: navigator.go("live")), None)
        self._empty = Empty(words.icon_name, words.empty, words.hint, start)
        for state in (self._loading, self._problem, self._nothing_found, self._empty, self.list):
            self._states.addWidget(state)

    def _build_list(self) -> QWidget:
        layout = QVBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        head = row(text(self._words.title, "heading"), self._amount, None, spacing=12, margins=(18, 16, 18, 10))
        layout.addLayout(head)
        layout.addWidget(self.filter_bar)
        layout.addWidget(self._states, 1)
        pane = holder(layout, "listPane")
        pane.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        return pane

    def _connect(self) -> None:
        navigator, place = self._context.navigator, self.place
        self.list.chosen.connect(self._choose)
        self.list.opened.connect(lambda recording_id: navigator.go(place, recording_id))
        self.pane.closed.connect(lambda: navigator.go(place))
        self.pane.widened.connect(self._widen)
        self.pane.came.connect(self._arrange)
        self.shown.shownChanged.connect(self._show_state)
        self.live.countChanged.connect(self._show_state)
        self.live.failed.connect(self._failed)
        self.live.editFailed.connect(self._edit_failed)
        self.live.loadedChanged.connect(self._show_state)

    @property
    def state(self) -> str:
        """What the list shows."""
        names = ("loading", "problem", "nothing found", "empty", "list")
        return names[self._states.currentIndex()]

    # --- where one is

    def open(self, recording_id: str | None) -> None:
        """Show a recording beside the list; None: none."""
        self.pane.open(recording_id)
        self.list.show_open(recording_id)
        self._arrange()

    def show_subject(self, key: str) -> None:
        """Look for the recordings of one person."""
        self.filter_bar.show_subject(key)

    def _choose(self, recording_id: str) -> None:
        """Open what the arrow keys come to, if there is room for it beside the list."""
        if self.width() >= BOTH_FROM and recording_id != self.pane.recording_id:
            QTimer.singleShot(0, self, lambda: self._context.navigator.go(self.place, recording_id))

    def _widen(self) -> None:
        self._is_wide = not self._is_wide
        self._arrange()

    # --- what there is

    def _failed(self, error: SynoviaError) -> None:
        self._problem.set_words(describe(error))
        self._show_state()

    def _edit_failed(self, key: object, field: str, error: SynoviaError) -> None:
        self._context.notices.error(f"The title was not changed. {describe(error)}")

    def _show_state(self) -> None:
        there, found = self.live.rowCount(), self.shown.rowCount()
        more = "+" if self.live.canFetchMore(QModelIndex()) else ""
        self._amount.setText(f"{there:,}{more}")
        self._amount.setVisible(there > 0)
        self.filter_bar.setVisible(there > 0)
        self._nothing_found.set_words(f"Of {count(there, 'recording')} none has all of this.")
        if found:
            state: QWidget = self.list
        elif there:
            state = self._nothing_found
        elif self.live.error is not None:
            state = self._problem
        else:
            state = self._empty if self.live.loaded else self._loading
        self._states.setCurrentWidget(state)
        self._arrange()

    def _arrange(self) -> None:
        """Show list and recording side by side, or one of them."""
        has_room, is_open = self.width() >= BOTH_FROM, self.pane.recording_id is not None
        is_bare = self.live.rowCount() == 0 and not is_open
        alone = not has_room and is_open
        self._list_pane.setVisible(not (alone or (is_open and self._is_wide)))
        self.pane.setVisible(is_open or (has_room and not is_bare))
        self._list_pane.setMaximumWidth(LIST_WIDTH if self.pane.isVisibleTo(self) else 16_777_215)
        self._list_pane.setMinimumWidth(LIST_WIDTH if self.pane.isVisibleTo(self) else 0)
        if self.pane.view is not None:
            self.pane.view.show_alone(alone)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See whether there is room for both."""
        super().resizeEvent(event)
        self._arrange()
