"""A session as it grows, for who measures and for who watches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from motion.cli.following import stretches
from motion.desktop.dialogs.live import DiscardDialog, FinishDialog
from motion.desktop.models.context import Context
from motion.desktop.plot.live_plot import LivePlot
from motion.desktop.sensors.measuring import Measuring
from motion.desktop.sensors.sensor import Sensor, sensors
from motion.desktop.widgets.buttons import Button, Item, show_menu
from motion.desktop.widgets.layouts import card, column, row, scrolled
from motion.desktop.widgets.states import Empty, Skeleton
from motion.desktop.widgets.texts import ElidedLabel, badge, text
from motion.desktop.words.errors import code_of, describe, sentence
from motion.desktop.words.naming import Row
from motion.desktop.words.times import clock, hertz
from synovia_client import SynoviaError
from synovia_qt import LiveSamples

KEPT_S = 60.0
"""So much of a session that runs already is fetched by who comes late."""
NARROW = 560


class LiveSession(QWidget):
    """One session.

    Args:
        measuring: Its samples on their way, if they come from this window.
        measure: Keeps samples that are on their way from now on.
    """

    def __init__(
        self, context: Context, session_id: str, measuring: Measuring | None, measure: Callable[[Measuring], object]
    ) -> None:
        super().__init__()
        self._context, self.session_id = context, session_id
        self._measuring, self._measure = measuring, measure
        self.samples = LiveSamples(
            context.client,
            "live:follow",
            {"sessionId": session_id},
            ("leftKnee", "rightKnee"),
            segments=stretches,
            keep=KEPT_S,
            parent=self,
        )
        self.plot: LivePlot | None = None
        self._build()
        self.samples.changed.connect(self._show)
        self.samples.failed.connect(self._failed)
        if measuring is not None:
            measuring.ended.connect(self._measured)

    def _build(self) -> None:
        navigator = self._context.navigator
        self._title = ElidedLabel("", "heading")
        self._on_air, self._elapsed = badge("● Live", "bad"), text("", "strong")
        self._by = ElidedLabel("", "muted")
        self._sensor = badge("", "warn")
        self._go_on = Button("Continue measuring", "quiet", "live", self._ask_sensor)
        self._discard = Button("Discard", "quiet", run=self._ask_discard)
        self.finish = Button("Finish", "primary", "check", self.ask_finish)
        back = Button("All sessions", "icon", "back", lambda: navigator.go("live"))
        under = row(self._on_air, self._elapsed, self._by, spacing=8)
        under.setStretch(2, 1)
        head = row(
            back,
            column(self._title, under, spacing=4),
            self._sensor,
            self._go_on,
            self._discard,
            self.finish,
            spacing=8,
        )
        head.setStretch(1, 1)
        self._notice_words = text("")
        self._open = Button("Open the recording", "primary", run=self._open_recording)
        self._notice = card(row(self._notice_words, None, self._open, margins=(16, 10, 12, 10)), "notice")
        self._notice.hide()
        self._place = QVBoxLayout()
        self._place.addWidget(Skeleton(4, 72))
        inside = QFrame()
        inside.setMaximumWidth(1_200)
        body = QVBoxLayout(inside)
        body.setContentsMargins(22, 18, 22, 32)
        body.setSpacing(14)
        body.addLayout(head)
        body.addWidget(self._notice)
        body.addLayout(self._place, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(inside))
        for button in (self._sensor, self._go_on, self._discard, self.finish):
            button.hide()

    @property
    def _is_narrow(self) -> bool:
        return self.width() < NARROW

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what can be done without, where there is little room."""
        was_narrow = event.oldSize().width() < NARROW
        super().resizeEvent(event)
        if self.plot is not None and was_narrow != self._is_narrow:
            self.plot.show_narrow(self._is_narrow)
            self._show(self.growth)

    def close_session(self) -> None:
        """Follow it no longer."""
        self.samples.close()

    @property
    def growth(self) -> Row:
        """What the server tells of the session; empty before it has."""
        return self.samples.value or {}

    def _put(self, widget: QWidget) -> None:
        while (item := self._place.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._place.addWidget(widget)

    def _show(self, growth: Row) -> None:
        if self.plot is None:
            self.plot = LivePlot(self.samples)
            self.plot.show_narrow(self._is_narrow)
            self._put(self.plot)
        people, owner = self._context.people, self._context.people.owner_of(growth)
        is_over = growth.get("recordingId") is not None
        self._title.set_words(people.subject_of(growth))
        self._on_air.setVisible(not is_over)
        self._elapsed.setText(clock(growth["sampleCount"] / growth["sampleRate"]))
        by = "measured by you" if owner is None else f"measured by {owner}"
        self._by.set_words(f"{by} · {hertz(growth['sampleRate'])}")
        self._show_owner(growth, owner is None and not is_over)
        if is_over:
            self.plot.show_finished()
            mine = "This session is finished and saved." if owner is None else "This session has been finished."
            self._notice_words.setText(mine)
            self._notice.show()

    def _show_owner(self, growth: Row, can_end: bool) -> None:
        measuring = self._measuring if self._measuring is not None and self._measuring.is_running else None
        self._sensor.setVisible(can_end and measuring is not None and not self._is_narrow)
        if measuring is not None:
            self._sensor.setText(measuring.sensor.title)
        self._go_on.setVisible(can_end and measuring is None)
        self._discard.setVisible(can_end)
        self.finish.setVisible(can_end)
        self.finish.setEnabled(growth["sampleCount"] > 0)

    def _failed(self, error: SynoviaError) -> None:
        if self.plot is not None and code_of(error) not in ("not_found", "forbidden"):
            return  # what is here stays; it is fetched again when the session grows
        unknown = code_of(error) in ("not_found", "invalid_arguments")
        words = "It was discarded, or is not shared with you." if unknown else describe(error)
        back = Button("All sessions", "quiet", run=lambda: self._context.navigator.go("live"))
        self.plot = None
        self._put(Empty("live", "This session is not here", words, row(None, back, None)))
        for widget in (self._on_air, self._sensor, self._go_on, self._discard, self.finish):
            widget.hide()

    # --- what can be done

    def _measured(self) -> None:
        if self.growth:
            self._show(self.growth)

    def _ask_sensor(self) -> None:
        """Ask with what it goes on: what measured before may be a sensor that this window does not have."""
        rate = self.growth["sampleRate"]
        fitting = [each for each in (make() for make in sensors().values()) if each.sample_rate == rate]
        items = [Item(each.title, "live", lambda each=each: self._continue(each)) for each in fitting]  # type: ignore[misc]
        if items:
            show_menu(items, self._go_on)
        else:
            self._context.notices.error(f"No sensor here measures at {hertz(rate)}.")

    def _continue(self, sensor: Sensor) -> None:
        count = int(self.growth.get("sampleCount", 0))
        try:
            self._measuring = Measuring(self._context.client, self.session_id, sensor, count)
        except OSError as error:
            self._context.notices.error(f"The sensor cannot be used. {sentence(error.strerror or str(error))}")
            return
        self._measuring.ended.connect(self._measured)
        self._measure(self._measuring)
        self._show(self.growth)

    def ask_finish(self) -> None:
        """Ask for notes, and save."""
        navigator = self._context.navigator
        FinishDialog(
            self.window(),
            self._context,
            self.session_id,
            self._measuring,
            lambda saved: navigator.go("recordings", saved),
        ).open()

    def _ask_discard(self) -> None:
        navigator = self._context.navigator
        DiscardDialog(
            self.window(), self._context, self.session_id, self._measuring, lambda: navigator.go("live")
        ).open()

    def _open_recording(self) -> None:
        growth, my_id = self.growth, self._context.people.my_id
        mine, of_me = growth["ownerId"] == my_id, growth.get("subjectId") == my_id
        place = "recordings" if mine else "of-me" if of_me else "shared"
        self._context.navigator.go(place, str(growth["recordingId"]))
