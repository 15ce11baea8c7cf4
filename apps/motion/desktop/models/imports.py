"""Files on their way: read here, one after the other, and saved as recordings; offline they wait."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from motion.desktop.models.worker import in_background
from motion.desktop.words.errors import describe, sentence
from motion.files import READABLE, ColumnNames, Motion, MotionFileError, read_motion
from synovia_client import SynoviaError
from synovia_qt import SynoviaClient

State = Literal["waiting", "reading", "sending", "done", "failed"]
ACCEPTED = " ".join(f"*{suffix}" for suffix in sorted(READABLE))


@dataclass(frozen=True)
class Reading:
    """How a file is to be read, where it does not tell; as ``read_motion`` has it."""

    left_column: str | None = None
    right_column: str | None = None
    time_column: str | None = None
    time_unit: Any = None
    sample_rate: float | None = None
    radians: bool | None = None
    fill_gaps: bool = False

    def read(self, path: Path) -> Motion:
        """Read a file."""
        return read_motion(
            path,
            names=ColumnNames(self.time_column, self.left_column, self.right_column),
            radians=self.radians,
            sample_rate=self.sample_rate,
            time_unit=self.time_unit,
            allow_uneven=self.fill_gaps,
        )


@dataclass(frozen=True)
class Import:
    """One file.

    Attributes:
        about: Arguments of ``recordings:save`` that are not in the file.
        part: What of it has been sent, from 0 to 1.
        problem: Why it was refused, for people.
        remedies, columns: What may be said so that it is read, and the columns to choose from.
    """

    number: int
    path: Path
    about: dict[str, Any] = field(default_factory=dict)
    reading: Reading = Reading()
    state: State = "waiting"
    part: float = 0.0
    problem: str = ""
    remedies: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    recording_id: str | None = None


class Imports(QObject):
    """The files of this window.

    Attributes:
        changed: Emitted with an ``Import`` that is new or another.
        dismissed: Emitted with the number of one that is to be seen no longer.
        saved: Emitted with the id of the recording of a file that came alone.
    """

    changed = Signal(object)
    dismissed = Signal(int)
    saved = Signal(str)

    def __init__(self, client: SynoviaClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._all: dict[int, Import] = {}
        self._queue: list[int] = []
        self._alone: set[int] = set()
        self._busy = False
        self._next = 0

    @property
    def all(self) -> list[Import]:
        """The files, in the order in which they came."""
        return list(self._all.values())

    def add(self, paths: list[Path], about: dict[str, Any] | None = None, reading: Reading | None = None) -> None:
        """Import files, one after the other."""
        for path in paths:
            number = self._next = self._next + 1
            self._all[number] = Import(number, path, about or {}, reading or Reading())
            self._queue.append(number)
            if len(paths) == 1:
                self._alone.add(number)
            self.changed.emit(self._all[number])
        self._go_on()

    def again(self, number: int, reading: Reading) -> None:
        """Read a refused file again, otherwise."""
        self._alone.add(number)
        self._queue.append(number)
        self._change(number, reading=reading, state="waiting", problem="", part=0.0)
        self._go_on()

    def dismiss(self, number: int) -> None:
        """Show a file no longer."""
        if self._all.pop(number, None) is not None:
            self.dismissed.emit(number)

    def _change(self, number: int, **changes: Any) -> None:
        if number in self._all:
            self._all[number] = replace(self._all[number], **changes)
            self.changed.emit(self._all[number])

    def _go_on(self) -> None:
        if self._busy or not self._queue:
            return
        number = self._queue.pop(0)
        one = self._all.get(number)
        if one is None:
            self._go_on()
            return
        self._busy = True
        self._change(number, state="reading")
        in_background(
            self,
            lambda: one.reading.read(one.path),
            lambda motion: self._send(one, motion),
            lambda error: self._refused(number, error),
        )

    def _send(self, one: Import, motion: Motion) -> None:
        """Save the recording; the next file is read meanwhile, and without a connection all of them wait."""
        self._change(one.number, state="sending", warnings=tuple(sentence(each) for each in motion.warnings))
        knees = {f"{side}Knee": series for side, series in motion.knees.items()}
        args = {**_told(one), **knees, "sampleRate": motion.sample_rate}
        call = self._client.mutation("recordings:save", args, timeout=None)
        call.progress.connect(lambda moved, total: self._change(one.number, part=moved / max(total, 1)))
        call.succeeded.connect(lambda recording_id: self._saved(one.number, str(recording_id)))
        call.failed.connect(lambda error: self._refused(one.number, error, is_reading=False))
        self._busy = False
        self._go_on()

    def _saved(self, number: int, recording_id: str) -> None:
        self._change(number, state="done", part=1.0, recording_id=recording_id)
        if number in self._alone:
            self.saved.emit(recording_id)

    def _refused(self, number: int, error: BaseException, *, is_reading: bool = True) -> None:
        if isinstance(error, MotionFileError):
            line = "" if error.line is None else f"Line {error.line}: "
            reason = error.reason if line else sentence(error.reason)
            problem, remedies, columns = line + reason, error.remedies, error.columns
        elif isinstance(error, OSError):
            problem, remedies, columns = sentence(error.strerror or str(error)), (), ()
        else:
            problem = describe(error) if isinstance(error, SynoviaError) else sentence(str(error) or repr(error))
            remedies, columns = (), ()
        self._change(number, state="failed", problem=problem, remedies=remedies, columns=columns)
        if is_reading:
            self._busy = False
            self._go_on()


def _told(one: Import) -> dict[str, Any]:
    """Give what is said of a recording: a file does not say when it was measured, so it ended when it was written."""
    told: dict[str, Any] = {"notes": one.path.stem, **one.about}
    try:
        told["endTime"] = max(0, round(one.path.stat().st_mtime * 1000))
    except OSError:  # it has been moved away since
        told.pop("endTime", None)
    return told
