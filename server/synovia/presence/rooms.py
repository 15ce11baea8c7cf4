"""The rooms of a hub: changes are gathered for a moment, then all who are inside are woken to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Final, Protocol

from synovia.presence.room import Room
from synovia_protocol.codec import pack_presence_changes

PER_MEMBER: Final = 0.0015
"""Seconds between two transitions of a room for each member in it: what a move costs grows with those who see it."""
LONGEST: Final = 0.05
"""At the most: 20 transitions a second, in rooms of more than 33."""


class Listener(Protocol):
    """A client that is inside."""

    def wake(self) -> None:
        """There is something new; cheap."""
        ...


class OpenRoom:
    """A room that somebody of this hub is in.

    Args:
        key: Which it is, on all hubs.

    Attributes:
        everybody: Who is there, at whichever hub.
        ours: Those of this hub.
        published: The newest change that clients are told.
    """

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.everybody = Room()
        self.ours = Room()
        self.published = 0
        self.inside: set[Listener] = set()
        self.watchers: list[Callable[[], None]] = []
        self._packed: dict[int | None, tuple[bytes, int]] = {}
        self._timer: asyncio.Handle | None = None
        self._published_at = 0.0

    def show(self, name: str, source: Hashable, who: bytes, state: bytes) -> None:
        """Have somebody of this hub be here in this state."""
        if self.ours.show(name, source, who, state):
            self._tell_watchers()
        self._note(changed=self.everybody.show(name, source, who, state))

    def remove(self, name: str, source: Hashable) -> None:
        """Have somebody of this hub be gone, unless they have come back in another way."""
        if self.ours.remove(name, source):
            self._tell_watchers()
        self._note(changed=self.everybody.remove(name, source))

    def show_other(self, name: str, hub: Hashable, who: bytes, state: bytes) -> None:
        """Have somebody of another hub be here; those who have come from there to this one stay with this one."""
        if name not in self.ours:
            self._note(changed=self.everybody.show(name, hub, who, state))

    def remove_other(self, name: str, hub: Hashable) -> None:
        """Have somebody of another hub be gone."""
        self._note(changed=self.everybody.remove(name, hub))

    def packed_since(self, number: int | None) -> tuple[bytes, int]:
        """Give what has changed since a change, packed once for all who are told the same, and the change it leads to."""
        packed = self._packed.get(number)
        if packed is None:
            here, moved, left, whole = self.everybody.since(number)
            packed = pack_presence_changes(here, moved, left, whole=whole), self.everybody.number
            self._packed[number] = packed
        return packed

    def close(self) -> None:
        """Nobody is to be told any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell_watchers(self) -> None:
        for watcher in self.watchers:
            watcher()

    def _note(self, *, changed: bool) -> None:
        if not changed or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        pause = min(LONGEST, PER_MEMBER * len(self.everybody))
        self._timer = loop.call_at(max(loop.time(), self._published_at + pause), self._publish)

    def _publish(self) -> None:
        self._timer = None
        self._published_at = asyncio.get_running_loop().time()
        self.published = self.everybody.number
        self._packed.clear()
        for listener in self.inside:
            listener.wake()


class Rooms:
    """Opens a room when the first client of this hub comes in, and closes it after the last."""

    def __init__(self) -> None:
        self._rooms: dict[bytes, OpenRoom] = {}
        self.opened: Callable[[OpenRoom], None] = lambda room: None
        self.closed: Callable[[OpenRoom], None] = lambda room: None

    def __len__(self) -> int:
        return len(self._rooms)

    def get(self, key: bytes) -> OpenRoom | None:
        """Find a room that is open."""
        return self._rooms.get(key)

    @property
    def members(self) -> int:
        """How many clients of this hub are shown in rooms."""
        return sum(len(room.ours) for room in self._rooms.values())

    def enter(self, key: bytes, listener: Listener) -> OpenRoom:
        """Let a client in; it is not shown yet."""
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = OpenRoom(key)
            self.opened(room)
        room.inside.add(listener)
        return room

    def exit(self, room: OpenRoom, listener: Listener) -> None:
        """Let a client out, which is not shown any more."""
        room.inside.discard(listener)
        if not room.inside and self._rooms.get(room.key) is room:
            del self._rooms[room.key]
            room.close()
            self.closed(room)
