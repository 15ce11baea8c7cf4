"""The samples of a session that grows, fetched as they come; no plot here."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np

from synovia_client import ArrayRef, Change, FunctionError, SynoviaError
from synovia_client.sample_buffer import Missing, SampleBuffer, Segment
from synovia_qt.binding import QtCore, Signal
from synovia_qt.call import Call
from synovia_qt.client import SynoviaClient

AT_ONCE = 8
"""So many segments are fetched in one go."""

ReadSegments = Callable[[Any], Iterable[Mapping[str, Any]]]


class LiveSamples(QtCore.QObject):
    """Follows a query that tells of a growing session, and fetches its samples: of all series together, each once.

    The query's value has a list of segments, each a map with ``start`` (its first sample's number) and an array for every
    series. Segments lie side by side; larger ones may take the place of smaller ones that hold the same samples. A
    function that gives segments may give numpy arrays for what came within the value: these are taken, and not fetched.

    Args:
        client: Where the query is asked.
        path, args: The query.
        names: The series: the fields of a segment that have their arrays.
        segments: The field of the value that has the segments, or a function of the value that gives them.
        rate: Samples per second: a number, or the field of the value that tells.
        keep: Seconds of samples that are held at least; who comes late fetches no more than these. None: all.
        parent: The owner in Qt.

    Attributes:
        grown: Emitted when samples have come.
        changed: Emitted with each new value of the query.
        failed: Emitted with the error when the query fails or samples cannot be had; those that are here stay.
    """

    grown = Signal()
    changed = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        client: SynoviaClient,
        path: str,
        args: dict[str, Any],
        names: Collection[str],
        *,
        segments: str | ReadSegments = "segments",
        rate: str | float = "sampleRate",
        keep: float | None = 600.0,
        parent: QtCore.QObject | None = None,
    ) -> None:
        super().__init__(parent)
        if not names or isinstance(names, str):
            raise ValueError("name the series, at least one")
        self._client = client
        self._names = tuple(names)
        self._read = segments
        self._rate_of = rate
        self._keep = keep
        self._buffer: SampleBuffer | None = None
        self._value: Any = None
        self._rate = float(rate) if not isinstance(rate, str) else 0.0
        self._error: SynoviaError | None = None
        self._round: list[Call] = []
        heard = weakref.WeakMethod(self._changed)  # one that nobody holds must be able to go

        def on_change(change: Change[Any]) -> None:
            changed = heard()
            if changed is not None:
                changed(change)

        handle = client.subscribe(path, args, None, None, on_change=on_change)
        calls = self._round

        def end(*_: object) -> None:
            handle.close()
            for call in calls:
                call.cancel()

        self._finalizer = weakref.finalize(self, end)
        self.destroyed.connect(end)

    def close(self) -> None:
        """Follow the session no longer; the samples stay."""
        self._finalizer()
        self._round.clear()

    # --- what is here

    @property
    def names(self) -> tuple[str, ...]:
        """The series."""
        return self._names

    @property
    def value(self) -> Any:
        """The newest value of the query; None before the first."""
        return self._value

    @property
    def error(self) -> SynoviaError | None:
        """What failed last; None if the last that happened was good."""
        return self._error

    @property
    def rate(self) -> float:
        """Samples per second; 0 before it is known."""
        return self._rate

    @property
    def begin(self) -> int:
        """The number of the first sample that is here."""
        return 0 if self._buffer is None else self._buffer.begin

    @property
    def end(self) -> int:
        """The number of the sample that is to come next."""
        return 0 if self._buffer is None else self._buffer.end

    @property
    def seconds(self) -> float:
        """When the newest sample was measured, counted from sample 0."""
        return self.end / self._rate if self._rate > 0 else 0.0

    def values(self, name: str, start: int, stop: int) -> Any:
        """Give the samples ``[start, stop)`` of a series, as far as they are here; do not change them."""
        return np.empty(0) if self._buffer is None else self._buffer.values(name, start, stop)

    # --- following

    def _changed(self, change: Change[Any]) -> None:
        if change.error is not None:
            self._fail(change.error)
            return
        try:
            segments = self._segments(change.value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._fail(FunctionError("no_session", f"this query does not tell of a growing session: {error!r}"))
            return
        self._value, self._error = change.value, None
        self._prepare(segments)
        self.changed.emit(change.value)
        self._catch_up()

    def _segments(self, value: Any) -> list[Segment]:
        if isinstance(self._rate_of, str):
            self._rate = float(value[self._rate_of])
        found = value[self._read] if isinstance(self._read, str) else self._read(value)
        return [_segment(each, self._names) for each in found]

    def _prepare(self, segments: list[Segment]) -> None:
        """Begin near the end, or again if this is another session than the one that is here."""
        keep = None if self._keep is None or not self._rate > 0 else max(1, int(self._keep * self._rate))
        end = max((segment.stop for segment in segments), default=0)
        if self._buffer is None and segments:
            self._buffer = SampleBuffer(self._names, keep)
            self._buffer.restart(max(min(s.start for s in segments), 0 if keep is None else end - keep))
        elif self._buffer is not None and end < self._buffer.end:
            self._give_up()
            self._buffer.restart(min((segment.start for segment in segments), default=0))
            self.grown.emit()

    def _catch_up(self) -> None:
        """Take what is here, and fetch what is missing, a few segments at a time; called again when these are there."""
        if self._buffer is None or self._round or self._value is None:
            return
        segments = self._segments(self._value)
        grown = False
        while missing := self._buffer.missing(segments):
            samples = missing[0].segment.samples
            if samples is None:
                fetched = itertools.takewhile(lambda part: part.segment.samples is None, missing)
                self._begin_round(self._buffer, [*fetched][:AT_ONCE])
                break
            grown = self._buffer.put(missing[0].segment.start, samples)
        if grown:
            self.grown.emit()

    def _begin_round(self, buffer: SampleBuffer, missing: list[Missing]) -> None:
        wanted = [(part, name) for part in missing for name in self._names]
        try:
            for part, name in wanted:
                ref = part.segment.arrays[name]
                if isinstance(ref, ArrayRef):
                    self._round.append(self._client.array(ref, part.start, part.stop))
        except SynoviaError as error:  # the client is closed
            self._give_up()
            self._error = error
            return
        calls, value, here = list(self._round), self._value, weakref.ref(self)

        def over() -> None:
            samples = here()
            if samples is not None and samples._round == calls and all(call.done for call in calls):
                samples._round.clear()
                samples._end_round(buffer, missing, calls, value)

        for call in calls:
            call.finished.connect(over)

    def _end_round(self, buffer: SampleBuffer, missing: list[Missing], calls: list[Call], value: Any) -> None:
        width = len(self._names)
        grown = False
        for place, part in enumerate(missing):
            of_part = calls[place * width : (place + 1) * width]
            error = next((call.error for call in of_part if call.error is not None), None)
            if error is not None:
                self._not_had(error, value)
                break
            arrays = {name: np.asarray(call.result) for name, call in zip(self._names, of_part, strict=True)}
            grown = buffer.put(part.segment.start + part.start, arrays) or grown
        else:
            self._catch_up()
        if grown:
            self.grown.emit()

    def _not_had(self, error: BaseException, value: Any) -> None:
        """Try again at once if the session has grown meanwhile (smaller segments go when a larger one comes), else then."""
        if value is not self._value:
            self._catch_up()
        else:
            self._fail(error if isinstance(error, SynoviaError) else SynoviaError(repr(error)))

    def _give_up(self) -> None:
        calls = list(self._round)
        self._round.clear()
        for call in calls:
            call.cancel()

    def _fail(self, error: SynoviaError) -> None:
        self._error = error
        self.failed.emit(error)


def _segment(found: Mapping[str, Any], names: Collection[str]) -> Segment:
    arrays = {name: found[name] for name in names}
    for kind in (ArrayRef, np.ndarray):
        if all(isinstance(each, kind) and len(each.shape) == 1 for each in arrays.values()):
            return Segment(int(found["start"]), arrays)
    raise TypeError("a segment has an array of one dimension for each series")
