"""Doing what takes long on another thread, and telling what came of it on the window's."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal


class _Outcome(QObject):
    there = Signal(object, object)


class _Work(QRunnable):
    def __init__(self, work: Callable[[], Any], outcome: _Outcome) -> None:
        super().__init__()
        self._work, self._outcome = work, outcome

    def run(self) -> None:
        try:
            result, error = self._work(), None
        except Exception as failure:
            result, error = None, failure
        self._outcome.there.emit(result, error)


_running: set[_Outcome] = set()


def in_background(
    owner: QObject,
    work: Callable[[], Any],
    done: Callable[[Any], object],
    failed: Callable[[BaseException], object],
) -> None:
    """Do something on another thread; ``done`` or ``failed`` is called on this one, unless the owner is gone by then."""
    outcome = _Outcome()
    _running.add(outcome)
    alive = weakref.ref(owner)

    def tell(result: Any, error: BaseException | None) -> None:
        _running.discard(outcome)
        if alive() is None:
            return
        if error is None:
            done(result)
        else:
            failed(error)

    outcome.there.connect(tell)
    QThreadPool.globalInstance().start(_Work(work, outcome))
