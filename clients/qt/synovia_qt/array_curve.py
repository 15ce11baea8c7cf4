"""A curve of a long array: the outline at once, every sample where the view rests."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from synovia_client import ArrayRef, RequestTimeout, SynoviaError
from synovia_client.array_layers import Layer, Wanted, layer_of, outline_of, pick, wanted_for
from synovia_qt.binding import QtCore, Signal
from synovia_qt.call import Call
from synovia_qt.client import SynoviaClient
from synovia_qt.pyqtgraph_binding import pyqtgraph

REST = 100
"""Milliseconds for which a view has to stay before finer samples are fetched."""
_KEPT = 24


class ArrayCurve(pyqtgraph.PlotCurveItem):  # type: ignore[misc]
    """The curve of a one-dimensional array in a pyqtgraph plot.

    The outline of the whole is fetched at once. Where the view rests, finer samples are fetched; until they are there, those
    that are stay. Samples that are NaN are gaps. Make it and call it on Qt's thread.

    Args:
        client: Where the samples are fetched.
        ref: The array, as a query of this client shows it; None: nothing yet.
        rate: Samples per unit of the axis, as Hz where the axis has seconds.
        begin: Where on the axis the first sample is.
        factor: What each value is multiplied with, as -1 to turn a curve upside down.
        rest: Milliseconds for which the view has to stay before finer samples are fetched.
        style: As for ``pyqtgraph.PlotCurveItem``: ``pen``, ``name``, ``antialias`` and so on.

    Attributes:
        loaded: Emitted when the outline is there.
        refiningChanged: Emitted with whether finer samples are on their way.
        progress: Emitted with (bytes received, bytes in total) of the outline.
        failed: Emitted with the error when samples cannot be had; what is drawn stays.
    """

    loaded = Signal()
    refiningChanged = Signal(bool)
    progress = Signal(object, object)
    failed = Signal(object)

    def __init__(
        self,
        client: SynoviaClient,
        ref: ArrayRef | None = None,
        *,
        rate: float = 1.0,
        begin: float = 0.0,
        factor: float = 1.0,
        rest: int = REST,
        **style: Any,
    ) -> None:
        super().__init__(connect="finite", **style)
        self._client = client
        self._ref: ArrayRef | None = None
        self._rate, self._begin, self._factor = rate, begin, factor
        self._outline: Layer | None = None
        self._fine: list[Layer] = []
        self._drawn: Layer | None = None
        self._error: SynoviaError | None = None
        self._refining = False
        self._fetches = _Fetches()
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(rest)
        self._timer.timeout.connect(self._rested)
        self._finalizer = weakref.finalize(self, self._fetches.cancel)
        self.destroyed.connect(self._fetches.cancel)
        client.onlineChanged.connect(self._online_changed)
        self.set_ref(ref, rate=rate, begin=begin)

    # --- what is shown

    @property
    def ref(self) -> ArrayRef | None:
        """The array; None for nothing."""
        return self._ref

    @property
    def is_loaded(self) -> bool:
        """Whether the outline is there."""
        return self._outline is not None

    @property
    def is_refining(self) -> bool:
        """Whether finer samples are on their way."""
        return self._refining

    @property
    def error(self) -> SynoviaError | None:
        """Why samples could not be had, the last time; None if they could."""
        return self._error

    def set_ref(self, ref: ArrayRef | None, *, rate: float | None = None, begin: float | None = None) -> None:
        """Show another array; what is drawn stays until its outline is there. None: nothing, at once.

        Raises:
            TypeError: It is no reference.
            ValueError: It has not one dimension, or the rate is not positive.
        """
        if not isinstance(ref, ArrayRef | None):
            raise TypeError(
                f"a curve is drawn of the reference to an array, an ArrayRef, and not of {type(ref).__name__}"
            )
        if ref is not None and len(ref.shape) != 1:
            raise ValueError(f"a curve is of one dimension, not of shape {ref.shape}")
        if rate is not None and not rate > 0:
            raise ValueError(f"a rate is positive, not {rate!r}")
        self._fetches.cancel()
        self._timer.stop()
        self._ref, self._error = ref, None
        self._rate = self._rate if rate is None else rate
        self._begin = self._begin if begin is None else begin
        self._outline, self._fine = None, []
        self._set_refining(False)
        if ref is None or ref.length == 0:
            self._drawn = None
            self.setData(x=np.empty(0), y=np.empty(0))
        else:
            self._fetch(ref, outline_of(ref.length))

    def set_factor(self, factor: float) -> None:
        """Multiply each value with another factor."""
        self._factor = factor
        self._draw(again=True)

    def close(self) -> None:
        """Fetch nothing any more; what is drawn stays."""
        self._timer.stop()
        self._finalizer()
        self._ref = None
        self._set_refining(False)

    # --- fetching

    def _fetch(self, ref: ArrayRef, wanted: Wanted) -> None:
        try:
            call = self._client.array(ref, wanted.start, wanted.stop, points=wanted.points)
        except SynoviaError as error:  # the client is closed
            self._error = error
            return
        self._fetches.add(call)
        here = weakref.ref(self)

        def came(samples: Any) -> None:
            curve = here()
            if curve is not None and curve._fetches.is_current(call):
                curve._fetches.remove(call)
                curve._there(layer_of(wanted, np.asarray(samples)))

        def failed(error: SynoviaError) -> None:
            curve = here()
            if curve is not None and curve._fetches.is_current(call):
                curve._fetches.remove(call)
                curve._not_had(error)

        if self._outline is None:
            call.progress.connect(self._progressed)
        call.succeeded.connect(came)
        call.failed.connect(failed)

    def _progressed(self, moved: int, total: int) -> None:
        self.progress.emit(moved, total)

    def _there(self, layer: Layer) -> None:
        self._error = None
        if self._outline is not None:
            self._fine = [*self._fine[1 - _KEPT :], layer]
            self._set_refining(False)
            self._draw()
        else:
            self._outline = layer
            self._draw(again=True)
            self.loaded.emit()
            self._look()

    def _not_had(self, error: SynoviaError) -> None:
        self._error = error
        self._set_refining(False)
        if not (isinstance(error, RequestTimeout) and not self._client.online):  # it is fetched again then
            self.failed.emit(error)

    def _online_changed(self, online: bool) -> None:
        if not online or self._ref is None or self._error is None:
            return
        if self._outline is None:
            self.set_ref(self._ref)
        else:
            self._look()

    def _set_refining(self, refining: bool) -> None:
        if refining != self._refining:
            self._refining = refining
            self.refiningChanged.emit(refining)

    # --- following the view

    def viewRangeChanged(self) -> None:
        """Draw what is there for the new view; called by pyqtgraph."""
        if getattr(self, "_outline", None) is not None:  # pyqtgraph calls it before this is made, too
            self._draw()
            self._look()

    def _look(self) -> None:
        """Have fetched what the view needs, once it rests."""
        if self._ref is not None and self._wanted() is not None:
            self._timer.start()
        else:
            self._timer.stop()
            self._drop()

    def _rested(self) -> None:
        wanted = self._wanted()
        if self._ref is None or self._outline is None or wanted is None:
            return
        if any(layer.wanted == wanted for layer in self._fine) or self._fetches.wanted == wanted:
            return
        self._drop()
        self._fetch(self._ref, wanted)
        self._fetches.wanted = wanted
        self._set_refining(bool(self._fetches))

    def _drop(self) -> None:
        """Fetch no more what nobody looks at any more."""
        if self._outline is not None:
            self._fetches.cancel()
            self._set_refining(False)

    def _view(self) -> tuple[float, float, float]:
        """Give the view's ends in samples, and how many pixels lie between."""
        box = self.getViewBox()
        if box is None:
            return 0.0, float(self._count - 1), 0.0
        (left, right), _ = box.viewRange()
        widget = self.getViewWidget()
        ratio = 1.0 if widget is None else widget.devicePixelRatioF()
        return (left - self._begin) * self._rate, (right - self._begin) * self._rate, box.width() * ratio

    def _wanted(self) -> Wanted | None:
        first, last, pixels = self._view()
        return wanted_for(first, last, self._count, pixels) if pixels > 0 else None

    @property
    def _count(self) -> int:
        return 0 if self._ref is None else self._ref.length

    # --- drawing

    def _draw(self, again: bool = False) -> None:
        if self._outline is None:
            return
        first, last, _ = self._view()
        layer = pick([self._outline, *self._fine], first, last, self._outline.wanted.stop)
        if again or layer is not self._drawn:
            self._drawn = layer
            self.setData(x=self._begin + layer.places / self._rate, y=layer.values * self._factor)

    def dataBounds(self, ax: int, frac: float = 1.0, orthoRange: Any = None) -> Any:
        """Give the bounds of the whole array, whatever part of it is drawn; called by pyqtgraph."""
        outline = getattr(self, "_outline", None)
        if outline is None or frac < 1.0 or (ax == 1 and orthoRange is not None):
            return super().dataBounds(ax, frac, orthoRange)
        if ax == 0:
            return self._begin, self._begin + (outline.wanted.stop - 1) / self._rate
        finite = outline.values[np.isfinite(outline.values)]
        if not len(finite):
            return None, None
        ends = (float(finite.min()) * self._factor, float(finite.max()) * self._factor)
        return min(ends), max(ends)


class _Fetches:
    """The calls of a curve that are on their way, apart from it so that they can be given up when it is gone.

    Attributes:
        wanted: What the newest of them brings, for a finer view.
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self.wanted: Wanted | None = None

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, call: Call) -> None:
        """Take a call in."""
        self._calls.append(call)

    def remove(self, call: Call) -> None:
        """Forget a call that is over."""
        self._calls.remove(call)
        self.wanted = None

    def is_current(self, call: Call) -> bool:
        """Tell whether anybody still waits for a call."""
        return call in self._calls

    def cancel(self, *_: object) -> None:
        """Give all of them up."""
        calls, self._calls, self.wanted = self._calls, [], None
        for call in calls:
            call.cancel()
