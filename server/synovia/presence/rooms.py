"""The rooms of a hub: changes are gathered for a moment, then all who are inside are woken to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator
from typing import Final, Protocol

from synovia.presence.room import Changes, Claim, Room
from synovia_protocol.codec import pack_presence_changes

PER_MEMBER: Final = 0.0015
"""Seconds between two transitions of a room for each member in it: what a move costs grows with those who see it."""
LONGEST: Final = 0.05
"""At the most: 20 transitions a second, in rooms of more than 33."""
BYTES_PER_SECOND: Final = 32 * 1024 * 1024
"""What a room sends to all who are in it, about: after a transition that was dearer the next one comes later."""
PER_TELLING: Final = 0.0001
"""Seconds for each member of a room and each room in which something is still to be told: so all rooms together tell no
more than 10,000 times a second, and a small room waits for a large one no longer than for another small one."""
_NEARLY: Final = 0.001
LONGEST_PAUSE: Final = 5.0
"""At the most: whoever comes is seen then."""


class Listener(Protocol):
    """A client that is inside."""

    def wake(self) -> None:
        """There is something new; cheap."""
        ...


class OpenRoom:
    """A room that somebody of this hub is in.

    Args:
        key: Which it is, on all hubs.
        ours_changed: Called when somebody of this hub comes, goes or shows something else.
        busy: The rooms of the hub in which something is still to be told.

    Attributes:
        everybody: Who is there, at whichever hub.
        ours: Those of this hub.
        published: The newest change that clients are told.
    """

    def __init__(self, key: bytes, ours_changed: Callable[[OpenRoom], None], busy: set[OpenRoom]) -> None:
        self._busy = busy
        self.key = key
        self.everybody = Room()
        self.ours = Room()
        self.published = 0
        self.inside: set[Listener] = set()
        self.ours_changed = ours_changed
        self._packed: dict[int | None, tuple[bytes, int]] = {}
        self._timer: asyncio.Handle | None = None
        self._published_at = 0.0
        self._told_bytes = 0

    def show(self, name: str, source: Hashable, claim: Claim) -> None:
        """Have somebody of this hub be here."""
        if self.ours.show(name, source, claim):
            self.ours_changed(self)
        self._note(changed=self.everybody.show(name, source, claim))

    def remove(self, name: str, source: Hashable) -> None:
        """Have somebody of this hub be gone."""
        if self.ours.remove(name, source):
            self.ours_changed(self)
        self._note(changed=self.everybody.remove(name, source))

    def take(self, hub: bytes, changes: Changes) -> None:
        """Take what another hub tells of those who are there by it."""
        told = {name for name, _ in changes.here}
        gone = [name for name in self.everybody.named_by(hub) if name not in told] if changes.whole else changes.left
        changed = [self.everybody.remove(name, hub) for name in gone]
        changed += [self.everybody.show(name, hub, claim) for name, claim in (*changes.here, *changes.moved)]
        self._note(changed=any(changed))

    def lose(self, hub: bytes) -> None:
        """Know nothing any more of those who are there by another hub."""
        self.take(hub, Changes([], [], [], whole=True))

    def packed_since(self, number: int | None) -> tuple[bytes, int]:
        """Give what has changed since a change, packed once for all who are told the same, and the change it leads to."""
        packed = self._packed.get(number)
        if packed is None:
            here, moved, left, whole = self.everybody.since(number)
            members = [(name, claim.who, claim.state) for name, claim in here]
            moves = [(name, claim.state) for name, claim in moved]
            packed = pack_presence_changes(members, moves, left, whole=whole), self.everybody.number
            self._packed[number] = packed
        if number is not None:  # who has just come is told of everybody, once
            self._told_bytes += len(packed[0])
        return packed

    @property
    def pause(self) -> float:
        """Seconds from the newest transition to the next one."""
        dear = min(LONGEST_PAUSE, self._told_bytes / BYTES_PER_SECOND)
        fair = min(LONGEST_PAUSE, PER_TELLING * len(self.inside) * len(self._busy))
        return max(min(LONGEST, PER_MEMBER * len(self.everybody)), dear, fair)

    def close(self) -> None:
        """Nobody is to be told any more."""
        self._busy.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def _note(self, *, changed: bool) -> None:
        if not changed or self._timer is not None:
            return
        self._busy.add(self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(loop.time(), self._published_at + self.pause), self._due)

    def _due(self) -> None:
        """Tell, unless more rooms have become busy meanwhile, so that this one has to wait longer."""
        loop, due = asyncio.get_running_loop(), self._published_at + self.pause
        if loop.time() + _NEARLY < due:
            self._timer = loop.call_at(due, self._due)
        else:
            self._publish()

    def _publish(self) -> None:
        self._timer = None
        self._busy.discard(self)
        self._told_bytes = 0
        self._published_at = asyncio.get_running_loop().time()
        self.published = self.everybody.number
        self._packed.clear()
        for listener in self.inside:
            listener.wake()


class Elsewhere(Protocol):
    """The other hubs, which are told of the rooms of this one."""

    def opened(self, room: OpenRoom) -> None:
        """Ask who is there at other hubs."""
        ...

    def closed(self, room: OpenRoom) -> None:
        """Ask no more."""
        ...

    def changed(self, room: OpenRoom) -> None:
        """Tell of those of this hub, soon."""
        ...


class Alone:
    """There are no other hubs."""

    def opened(self, room: OpenRoom) -> None:
        pass

    def closed(self, room: OpenRoom) -> None:
        pass

    def changed(self, room: OpenRoom) -> None:
        pass


class Rooms:
    """Opens a room when the first client of this hub comes in, and closes it after the last.

    Attributes:
        elsewhere: The other hubs.
    """

    def __init__(self) -> None:
        self._rooms: dict[bytes, OpenRoom] = {}
        self._busy: set[OpenRoom] = set()
        self.elsewhere: Elsewhere = Alone()

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[OpenRoom]:
        return iter(self._rooms.values())

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
            room = self._rooms[key] = OpenRoom(key, lambda room: self.elsewhere.changed(room), self._busy)
            self.elsewhere.opened(room)
        room.inside.add(listener)
        return room

    def exit(self, room: OpenRoom, listener: Listener) -> None:
        """Let a client out, which is not shown any more."""
        room.inside.discard(listener)
        if not room.inside and self._rooms.get(room.key) is room:
            del self._rooms[room.key]
            room.close()
            self.elsewhere.closed(room)
