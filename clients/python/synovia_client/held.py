"""Something that goes on at the client's loop, as a program without an event loop holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from synovia_client.delivery import Delivery
from synovia_client.loop_thread import LoopThread


class Held:
    """Goes on until ``close``; its changes are told where callbacks belong.

    Args:
        end: What ends it, on the client's thread.
    """

    def __init__(self, thread: LoopThread, delivery: Delivery, end: Callable[[], object]) -> None:
        self._thread = thread
        self._delivery = delivery
        self._end = end
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; nothing is told after that. May be called twice."""
        if not self._closed:
            self._closed = True
            self._thread.call(self._end)

    def _changed(self, newest: Any) -> None:
        self._delivery.note(self)
        self._delivery.flush()

    # --- for the delivery

    def commit(self) -> None:
        """Take notice of what is the newest now, on the client's thread."""

    def collect(self) -> None:
        """Show that."""

    def tell(self) -> None:
        """Call back, unless it is closed."""
