"""Live sessions: those that run, and the one that is open."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from motion.desktop.dialogs.live import StartDialog
from motion.desktop.models.context import Context
from motion.desktop.pages.live_session import LiveSession
from motion.desktop.sensors.measuring import Measuring
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.layouts import row
from motion.desktop.widgets.page import Page
from motion.desktop.widgets.row_list import Look, RowList
from motion.desktop.widgets.states import Empty, Skeleton
from motion.desktop.words.errors import describe
from motion.desktop.words.naming import Row
from motion.desktop.words.times import clock, hertz
from synovia_qt import LiveListModel


class LivePage(QWidget):
    """The list of sessions, or one of them."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.measuring: dict[str, Measuring] = {}
        self.session: LiveSession | None = None
        self.list_page = _Sessions(context, self.start)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.list_page)

    def open(self, session_id: str | None) -> None:
        """Show a session; None: the list."""
        if self.session is not None and self.session.session_id == session_id:
            return
        if self.session is not None:
            self._stack.removeWidget(self.session)
            self.session.close_session()
            self.session.deleteLater()
            self.session = None
        if session_id is not None:
            self.session = LiveSession(self._context, session_id, self.measuring.get(session_id), self._measure)
            self._stack.addWidget(self.session)
            self._stack.setCurrentWidget(self.session)
        else:
            self._stack.setCurrentWidget(self.list_page)

    def start(self) -> None:
        """Ask who is measured."""
        StartDialog(self.window(), self._context, self._begun).open()

    def _begun(self, measuring: Measuring) -> None:
        self._measure(measuring)
        self._context.navigator.go("live", measuring.session_id)

    def _measure(self, measuring: Measuring) -> None:
        """Keep the samples on their way, whichever page is shown."""
        measuring.setParent(self)
        self.measuring[measuring.session_id] = measuring
        measuring.ended.connect(lambda why: self._ended(measuring, why))

    def _ended(self, measuring: Measuring, why: BaseException | None) -> None:
        self.measuring.pop(measuring.session_id, None)
        if why is not None:
            self._context.notices.error(f"Measuring has ended. {describe(why)}")

    @property
    def is_measuring(self) -> bool:
        """Whether this window measures."""
        return bool(self.measuring)

    def stop(self) -> None:
        """Measure no more."""
        for each in list(self.measuring.values()):
            each.give_up()


class _Sessions(Page):
    """The sessions that run."""

    def __init__(self, context: Context, start: Callable[[], object]) -> None:
        super().__init__("Live", "What is being measured now, of you, by you, or shared with you.")
        self._context, self._start = context, start
        self.live = LiveListModel(context.client, "live:list_running", {}, ["sampleCount"], parent=self)
        self.list = RowList(self.live, self._look, "Running sessions")
        self.list.opened.connect(lambda session: context.navigator.go("live", str(session["_id"])))
        context.people.changed.connect(self.list.viewport().update)
        self.buttons.addWidget(self._button())
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addStretch(1)
        self._there = self.add_state(inside)
        self._loading = self.add_state(Skeleton(3))
        hint = "A session that runs appears here at once, and grows as you watch."
        self._empty = self.add_state(Empty("live", "Nothing is being measured", hint, row(None, self._button(), None)))
        self.live.loadedChanged.connect(self._show)
        self.live.countChanged.connect(self._show)
        self._show()

    def _button(self) -> Button:
        return Button("Start a session", "primary", "live", self._start)

    def _show(self) -> None:
        if self.live.rowCount():
            self.show_state(self._there)
        else:
            self.show_state(self._empty if self.live.loaded else self._loading)

    def _look(self, session: Row) -> Look:
        people = self._context.people
        owner = people.owner_of(session)
        by = "measured by you" if owner is None else f"measured by {owner}"
        elapsed = clock(session["sampleCount"] / session["sampleRate"])
        words = f"{by} · {hertz(session['sampleRate'])}"
        return Look(people.subject_of(session), words, ("Live", "bad"), elapsed, leads=True)
