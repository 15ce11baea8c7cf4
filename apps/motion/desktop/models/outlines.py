"""A few strides out of the middle of each recording, for small pictures: fetched once when somebody first looks."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from synovia_client import ArrayRef, SynoviaError
from synovia_qt import SynoviaClient

SECONDS = 5.0
POINTS = 600
MOST = 2_000
AT_ONCE = 6

Floats = NDArray[np.float64]


class Outlines(QObject):
    """Gives the outline of a few strides; ``came`` is emitted when another one is there.

    Args:
        client: Where they are fetched.
    """

    came = Signal()

    def __init__(self, client: SynoviaClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._known: OrderedDict[object, Floats | None] = OrderedDict()
        self._wanted: OrderedDict[object, tuple[ArrayRef, float]] = OrderedDict()
        self._fetching = 0

    def of(self, ref: ArrayRef, rate: float) -> Floats | None:
        """Give the samples of a few seconds, thinned to what can be seen; None: they are not here yet.

        Args:
            ref: All of the samples.
            rate: Hz.
        """
        if ref.digest in self._known:
            self._known.move_to_end(ref.digest)
            return self._known[ref.digest]
        self._wanted[ref.digest] = (ref, rate)
        self._wanted.move_to_end(ref.digest)  # who is looked at now comes first
        self._fetch()
        return None

    def _fetch(self) -> None:
        while self._wanted and self._fetching < AT_ONCE and self._client.online:
            digest, (ref, rate) = self._wanted.popitem()
            self._known[digest] = None
            self._fetching += 1
            count = min(ref.length, round(SECONDS * rate))
            first = (ref.length - count) // 2
            points = POINTS if count > POINTS else None
            call = self._client.array(ref, first, first + count, points=points)
            call.succeeded.connect(lambda array, digest=digest: self._came(digest, np.asarray(array).reshape(-1)))
            call.failed.connect(lambda error, digest=digest: self._failed(digest, error))

    def _came(self, digest: object, outline: Floats) -> None:
        self._fetching -= 1
        self._known[digest] = outline
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        self.came.emit()
        self._fetch()

    def _failed(self, digest: object, error: SynoviaError) -> None:
        """Forget it: it is fetched again when somebody looks again."""
        self._fetching -= 1
        self._known.pop(digest, None)
