"""A plot in a notebook that follows a live query."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synovia_client.changes import Change
from synovia_client.frames import columns_of
from synovia_client.subscription import Subscription

try:
    import anywidget
    import traitlets
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "a plot in a notebook needs anywidget: pip install 'synovia-client[jupyter]'", name=error.name
    ) from None

_HERE = Path(__file__).parent
FRAME = 0.05
"""Seconds between two pictures: what comes faster is drawn together."""


class LivePlot(anywidget.AnyWidget):
    """Lines over one field of a query's rows, drawn anew as they change.

    Made in a cell of a notebook, or wherever a loop of asyncio runs. What is no number is a gap.

    Args:
        source: A subscription of a ``Client`` of this loop, which is followed until ``stop``; without one, ``show`` says
            what is drawn: ``blocking.subscribe(path, args, plot.show)``.
        x: The field for the horizontal axis.
        y: The field of each line.
        title, x_label, y_label: What is written beside it.
        height: In pixels.
    """

    _esm = _HERE / "live_plot.js"
    _css = _HERE / "live_plot.css"
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The lines' names."""
    data = traitlets.Bytes().tag(sync=True)
    """The values as float64: those of x, then of each line."""
    trouble = traitlets.Unicode("").tag(sync=True)
    """Why the query fails, or which fields no row has; empty while all is well."""
    title = traitlets.Unicode("").tag(sync=True)
    x_label = traitlets.Unicode("").tag(sync=True)
    y_label = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Int(280).tag(sync=True)

    def __init__(
        self,
        source: Subscription[Any] | None = None,
        *,
        x: str,
        y: str | Sequence[str],
        title: str = "",
        x_label: str | None = None,
        y_label: str = "",
        height: int = 280,
    ) -> None:
        names = [y] if isinstance(y, str) else list(y)
        super().__init__(names=names, title=title, x_label=x_label or x, y_label=y_label, height=height)
        self._loop = asyncio.get_running_loop()
        self._x = x
        self._coming: Any = None
        self._due: asyncio.TimerHandle | None = None
        self._stop: Callable[[], None] | None = None if source is None else source.listen(self._changed)

    def show(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Draw these rows; may be called on any thread, as often as one likes."""
        self._loop.call_soon_threadsafe(self._take, rows)

    def stop(self) -> None:
        """End following; what is drawn stays. May be called twice."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def close(self) -> None:
        """End following, and take the plot out of the notebook."""
        self.stop()
        if self._due is not None:
            self._due.cancel()
        super().close()

    def _changed(self, change: Change[Any]) -> None:
        if change.error is None:
            self._take(change.value)
        else:
            self._coming = None
            self.trouble = str(change.error)

    def _take(self, rows: Any) -> None:
        self._coming = rows
        if self._due is None:
            self._draw()
            self._due = self._loop.call_later(FRAME, self._later)

    def _later(self) -> None:
        self._due = None
        if self._coming is not None:
            self._take(self._coming)

    def _draw(self) -> None:
        rows, self._coming = self._coming, None
        columns = columns_of(rows)
        length = len(rows)
        self.trouble = _unknown((self._x, *self.names), columns)
        self.data = b"".join(_numbers(columns.get(name), length).tobytes() for name in (self._x, *self.names))


def _unknown(names: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> str:
    """Say which fields no row has, and which there are; empty without rows."""
    missing = [repr(name) for name in names if name not in columns]
    if not missing or not columns:
        return ""
    return f"no row has a field {' or '.join(missing)}; there are {', '.join(map(repr, columns))}"


def _numbers(values: Sequence[Any] | None, length: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give values as little-endian float64; NaN for what is no number."""
    if values is None:
        return np.full(length, np.nan, "<f8")
    return np.fromiter((_number(value) for value in values), "<f8", length)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
