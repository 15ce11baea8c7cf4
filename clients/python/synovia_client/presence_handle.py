"""A room as a program without an event loop holds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from synovia_client.delivery import Delivery
from synovia_client.errors import FunctionError
from synovia_client.loop_thread import LoopThread
from synovia_client.presence import Member, Presence

OnMembers = Callable[[Sequence[Member]], object]
_Seen = tuple[Sequence[Member], FunctionError | None]


class PresenceHandle:
    """Being in a room until ``close``.

    What it shows is what the callback was told last: a busy program is told once, of the newest.
    """

    def __init__(self, presence: Presence, thread: LoopThread, delivery: Delivery, callback: OnMembers | None) -> None:
        self._presence = presence
        self._thread = thread
        self._delivery = delivery
        self._callback = callback
        self._closed = False
        self._newest: _Seen = ((), None)
        self._collected: _Seen = self._newest
        self._shown: _Seen = self._newest
        thread.call(self._enter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _enter(self) -> None:
        self._presence.on_change(self._changed)
        self._presence.enter()

    def _changed(self, members: Sequence[Member]) -> None:
        self._delivery.note(self)
        self._delivery.flush()

    @property
    def members(self) -> Sequence[Member]:
        """Everybody who is there, this client too."""
        return self._shown[0]

    @property
    def others(self) -> Sequence[Member]:
        """The same without this client."""
        return tuple(member for member in self.members if not member.is_me)

    @property
    def error(self) -> FunctionError | None:
        """Why this client is not in the room; None if it is, or it is not known yet."""
        return self._shown[1]

    def update(self, state: Any) -> None:
        """Show the others another state; FunctionError ``invalid_arguments`` if it cannot be sent."""
        checked = self._presence.checked(state)
        self._thread.call(lambda: self._presence.show(checked))

    def close(self) -> None:
        """Be in the room no more; nothing is told after that. May be called twice."""
        if not self._closed:
            self._closed = True
            self._thread.call(self._presence.exit)

    # --- for the delivery

    def commit(self) -> None:
        self._newest = self._presence.members, self._presence.error

    def collect(self) -> None:
        self._collected = self._newest

    def tell(self) -> None:
        self._shown = self._collected
        if self._callback is not None and not self._closed:
            self._callback(self.members)
