"""Beginning a live session, saving it, and throwing it away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from motion.desktop.models.context import Context
from motion.desktop.pages.subject_field import SubjectField
from motion.desktop.sensors.measuring import Measuring
from motion.desktop.sensors.sensor import Sensor, sensors
from motion.desktop.widgets.buttons import Button
from motion.desktop.widgets.dialogs import FormDialog, input_field
from motion.desktop.widgets.fields import Choice, Field
from motion.desktop.widgets.layouts import FlowLayout, holder
from motion.desktop.widgets.texts import text
from motion.desktop.words.errors import sentence
from motion.desktop.words.naming import shown_name, words_of

Begun = Callable[[Measuring], object]


class StartDialog(FormDialog):
    """Asks who is measured, who may watch, and with what.

    Args:
        begun: Called with the samples on their way.
    """

    def __init__(self, parent: QWidget, context: Context, begun: Begun) -> None:
        super().__init__(parent, "Start a live session", "Start measuring")
        self._context, self._begun = context, begun
        self._sensors = {name: make() for name, make in sensors().items()}
        self.subject = SubjectField("Who is measured?", context.people)
        self.subject.show_subject(_first_subject(context))
        self.subject.settled.connect(lambda _: self._offer_watchers())
        self.watchers: dict[str, Button] = {}
        self._flow = FlowLayout(6)
        watchers = Field("Who else may watch?", holder(self._flow), "Whoever is measured always sees it.")
        self.sensor = Choice([(name, each.title) for name, each in self._sensors.items()], next(iter(self._sensors)))
        self.sensor.chosen.connect(lambda _: self._describe())
        self._about = text("", "note", wraps=True)
        for part in (self.subject, watchers, Field("Sensor", self.sensor), self._about):
            self.body.addWidget(part)
        watchers.setVisible(bool(context.people.contacts))
        self._offer_watchers()
        self._describe()

    def _offer_watchers(self) -> None:
        for contact in self._context.people.contacts:
            user = str(contact["userId"])
            if user not in self.watchers:
                chip = self.watchers[user] = Button(shown_name(contact), "chip")
                chip.setCheckable(True)
                self._flow.addWidget(chip)
            self.watchers[user].setVisible(user != self.subject.subject.get("subjectId"))

    def _chosen_sensor(self) -> Sensor:
        return self._sensors[self.sensor.value]

    def _describe(self) -> None:
        self._about.setText(self._chosen_sensor().about)

    def send(self) -> None:
        """Begin."""
        sensor, subject = self._chosen_sensor(), self.subject.subject
        watching = [user for user, chip in self.watchers.items() if chip.isChecked() and not chip.isHidden()]
        args = {"sampleRate": sensor.sample_rate, "sharedWith": watching, **subject}
        call = self._context.mutate("live:start", args, tells=False)
        self.follow(call, lambda session_id: self._start(str(session_id), sensor))

    def _start(self, session_id: str, sensor: Sensor) -> None:
        context = self._context
        try:
            measuring = Measuring(context.client, session_id, sensor)
        except OSError as error:
            context.mutate("live:discard", {"sessionId": session_id})
            context.notices.error(f"The sensor cannot be used. {sentence(error.strerror or str(error))}")
            return
        self._begun(measuring)


def _first_subject(context: Context) -> dict[str, str]:
    """Patients measure themselves, physiotherapists somebody else."""
    people = context.people
    if people.is_patient or not people.by_id:
        return {"subjectId": people.my_id}
    return {"subjectId": next(iter(people.by_id))}


class FinishDialog(FormDialog):
    """Asks for notes, and saves a session as a recording.

    Args:
        measuring: The samples on their way, which end first; None: they come from elsewhere.
        saved: Called with the id of the recording.
    """

    def __init__(
        self,
        parent: QWidget,
        context: Context,
        session_id: str,
        measuring: Measuring | None,
        saved: Callable[[str], object],
    ) -> None:
        super().__init__(parent, "Finish and save", "Save recording")
        self._context, self._session_id, self._measuring, self._saved = context, session_id, measuring, saved
        self.notes = QPlainTextEdit()
        self.notes.setPlaceholderText("The first line is the title in lists.")
        self.notes.setTabChangesFocus(True)
        self.notes.setFixedHeight(96)
        exercise, self.exercise = input_field("Exercise", "walking")
        tags, self.tags = input_field("Tags", hint="With commas between them.")
        for part in (Field("Notes", self.notes), exercise, tags):
            self.body.addWidget(part)
        self.notes.setFocus()

    def send(self) -> None:
        """Measure no more, and save when all that was measured is there."""
        self.submit.setEnabled(False)
        if self._measuring is not None and self._measuring.is_running:
            self._measuring.ended.connect(lambda _: self._finish())
            self._measuring.stop()
        else:
            self._finish()

    def _finish(self) -> None:
        args = {
            "sessionId": self._session_id,
            "notes": self.notes.toPlainText().strip(),
            "exerciseType": self.exercise.text().strip(),
            "tags": words_of(self.tags.text()),
        }
        call = self._context.mutate("live:finish", args, "The recording is saved.", tells=False)
        self.follow(call, lambda recording_id: self._saved(str(recording_id)))


class DiscardDialog(FormDialog):
    """Asks whether a session is to be thrown away."""

    def __init__(
        self,
        parent: QWidget,
        context: Context,
        session_id: str,
        measuring: Measuring | None,
        done: Callable[[], object],
    ) -> None:
        super().__init__(parent, "Discard this session", "Discard", "danger")
        self._context, self._session_id, self._measuring, self._after = context, session_id, measuring, done
        self.body.addWidget(text("Its samples are deleted for good, for everybody who watches too.", wraps=True))

    def send(self) -> None:
        """Throw it away."""
        if self._measuring is not None:
            self._measuring.give_up()
        args = {"sessionId": self._session_id}
        call = self._context.mutate("live:discard", args, "The session was discarded.", tells=False)
        self.follow(call, lambda _: self._after())
