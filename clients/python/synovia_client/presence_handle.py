"""A room as a program without an event loop holds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from synovia_client.delivery import Delivery
from synovia_client.errors import FunctionError
from synovia_client.held import Held
from synovia_client.loop_thread import LoopThread
from synovia_client.presence import Member, Presence

OnMembers = Callable[[Sequence[Member]], object]
_Seen = tuple[Sequence[Member], FunctionError | None]


class PresenceHandle(Held):
    """Being in a room until ``close``.

    What it shows is what the callback was told last: a busy program is told once, of the newest.
    """

    def __init__(self, presence: Presence, thread: LoopThread, delivery: Delivery, callback: OnMembers | None) -> None:
        super().__init__(thread, delivery, presence.exit)
        self._presence = presence
        self._callback = callback
        self._newest: _Seen = ((), None)
        self._collected: _Seen = self._newest
        self._shown: _Seen = self._newest
        thread.call(self._enter)

    def _enter(self) -> None:
        self._presence.on_change(self._changed)
        self._presence.enter()

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

    # --- for the delivery

    def commit(self) -> None:
        self._newest = self._presence.members, self._presence.error

    def collect(self) -> None:
        self._collected = self._newest

    def tell(self) -> None:
        self._shown = self._collected
        if self._callback is not None and not self._closed:
            self._callback(self.members)
