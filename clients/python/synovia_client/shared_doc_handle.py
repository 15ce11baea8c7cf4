"""A shared document as a program without an event loop holds it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from synovia_client.delivery import Delivery
from synovia_client.errors import SynoviaError
from synovia_client.held import Held
from synovia_client.loop_thread import LoopThread
from synovia_client.shared_docs import SharedDoc

if TYPE_CHECKING:
    from pycrdt import Doc

OnShared = Callable[["SharedDocHandle"], object]


class SharedDocHandle(Held):
    """A shared document that is kept the same until ``close``.

    Look at the document, and change it, inside ``with handle.edit() as doc``, on any thread.
    """

    def __init__(self, shared: SharedDoc, thread: LoopThread, delivery: Delivery, callback: OnShared | None) -> None:
        super().__init__(thread, delivery, shared.end)
        self._shared = shared
        self._callback = callback
        thread.call(self._begin)

    def _begin(self) -> None:
        self._shared.on_change(self._changed)
        self._shared.begin()

    @property
    def synced(self) -> bool:
        """Whether the document was what the server has when that was last told, but for changes on their way."""
        return self._shared.synced

    @property
    def saved(self) -> bool:
        """Whether everything that was changed here is kept by the server."""
        return self._shared.saved

    @property
    def error(self) -> SynoviaError | None:
        """Why the document cannot be read or changed; None if it can."""
        return self._shared.error

    def edit(self) -> AbstractContextManager[Doc[Any]]:
        """Change the document in one step, or look at it."""
        return self._shared.edit()

    def wait_until_saved(self) -> None:
        """Wait until the server has everything; FunctionError if it takes something not."""
        self._thread.wait(self._shared.until_saved())

    def tell(self) -> None:  # nothing is handed over before: the document itself is looked at
        if self._callback is not None and not self._closed:
            self._callback(self)
