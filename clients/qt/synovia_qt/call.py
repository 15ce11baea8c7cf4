"""One call of a function, as an object with signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

from synovia_client import SynoviaError
from synovia_qt.binding import QtCore, Signal


class Call(QtCore.QObject):
    """A query, mutation or action on its way; ``await`` it under qasync or QtAsyncio, or connect to its signals.

    Attributes:
        succeeded: Emitted with the result.
        failed: Emitted with the error, a ``SynoviaError``.
        progress: Emitted with (bytes moved, bytes in total) of its arrays.
        finished: Emitted after either of the first two.
    """

    succeeded = Signal(object)
    failed = Signal(object)
    progress = Signal(object, object)
    finished = Signal()

    def __init__(self, path: str, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._future: Future[Any] | None = None
        self._outcome: tuple[Any, BaseException | None] | None = None
        self._given_up = False

    @property
    def done(self) -> bool:
        """Whether it has succeeded or failed, and that was told, or was cancelled."""
        return self._outcome is not None or self.cancelled

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled before its outcome was told."""
        return self._given_up

    @property
    def result(self) -> Any:
        """The result; None before it is there, or if it failed."""
        return None if self._outcome is None else self._outcome[0]

    @property
    def error(self) -> BaseException | None:
        """Why it failed; None if it did not."""
        return None if self._outcome is None else self._outcome[1]

    def cancel(self) -> None:
        """Wait no longer; the server may still run it. It is done then, and nothing is emitted any more."""
        if self._future is not None and self._outcome is None:
            self._given_up = True
            self._future.cancel()

    def __await__(self) -> Generator[Any, None, Any]:
        if self._future is None:
            raise RuntimeError("this call was never made")
        if self._given_up:
            raise asyncio.CancelledError
        return asyncio.wrap_future(self._future).__await__()

    # --- for the client

    def follow(self, future: Future[Any], post: Callable[[Callable[[], None]], None], over: Callable[[], None]) -> None:
        """Tell what comes of a future, by ``post`` on Qt's thread; ``over`` is called there first, whatever comes."""
        self._future = future
        future.add_done_callback(lambda done: post(lambda: self._finish(done, over)))

    def _finish(self, future: Future[Any], over: Callable[[], None]) -> None:
        over()
        if self._given_up or future.cancelled():
            return
        error = future.exception()
        self._outcome = (None, error) if error is not None else (future.result(), None)
        if error is None:
            self.succeeded.emit(self._outcome[0])
        else:
            self.failed.emit(error if isinstance(error, SynoviaError) else SynoviaError(repr(error)))
        self.finished.emit()
