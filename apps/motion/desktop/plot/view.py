"""The part of a recording that is shown, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_SAMPLES = 8


@dataclass(frozen=True)
class View:
    """From when to when."""

    start: float
    stop: float

    @property
    def span(self) -> float:
        """How long it is."""
        return self.stop - self.start


@dataclass(frozen=True)
class Span:
    """A recording as far as a view is concerned.

    Attributes:
        count: Its samples, a side.
        rate: Hz.
    """

    count: int
    rate: float

    @property
    def whole(self) -> View:
        """All of it."""
        return View(0.0, max(1, self.count - 1) / self.rate)

    def is_whole(self, view: View) -> bool:
        """Tell whether a view shows all of it."""
        whole = self.whole
        return view.start <= whole.start + 1e-9 and view.stop >= whole.stop - 1e-9

    def clamped(self, view: View) -> View:
        """Keep a view inside, without making it smaller than a few samples."""
        whole = self.whole.stop
        span = min(whole, max(view.span, min(FEWEST_SAMPLES / self.rate, whole)))
        start = min(max(0.0, view.start), whole - span)
        return View(start, start + span)

    def zoomed(self, view: View, factor: float, around: float | None = None) -> View:
        """Make a view larger (``factor`` over 1) or smaller around a moment that stays where it is."""
        at = (view.start + view.stop) / 2 if around is None else around
        return self.clamped(View(at - (at - view.start) * factor, at + (view.stop - at) * factor))

    def moved(self, view: View, part: float) -> View:
        """Move a view by a part of its width."""
        by = view.span * part
        return self.clamped(View(view.start + by, view.stop + by))

    def samples(self, view: View) -> tuple[int, int]:
        """Give the samples of a view: the first, and the one after the last."""
        first = min(self.count - 1, max(0, int(view.start * self.rate)))
        return first, max(first + 1, min(self.count, int(view.stop * self.rate) + 2))
