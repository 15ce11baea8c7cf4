"""The rooms in which a client is present, and whom it knows to be there."""

from __future__ import annotations

from collections.abc import Sequence

from synovia_protocol.errors import ErrorCode, ProtocolError, ResyncNeeded, SessionError
from synovia_protocol.events import ClientEvent, PresenceUpdated
from synovia_protocol.messages import PresenceEnded, PresenceMember, PresenceUpdate


class Rooms:
    """Applies what the server tells of each room; what still comes of one that was left is ignored."""

    def __init__(self) -> None:
        self._members: dict[int, dict[str, PresenceMember]] = {}
        self._me: dict[int, str] = {}
        self._last = -1

    def check_new(self, room_id: int) -> None:
        """Check that a room has a greater number than all before; SessionError if not."""
        if room_id <= self._last:
            raise SessionError(f"room {room_id} after room {self._last}")

    def check_joined(self, room_id: int) -> None:
        """Check that this client has joined a room, and is in it as far as it knows; SessionError if not."""
        if room_id not in self._members:
            raise SessionError(f"this client is not in room {room_id}")

    def join(self, room_id: int) -> None:
        """Expect to be told of a room."""
        self._last = room_id
        self._members[room_id] = {}

    def leave(self, room_id: int) -> None:
        """Forget a room."""
        del self._members[room_id]
        self._me.pop(room_id, None)

    def end(self, message: PresenceEnded) -> Sequence[ClientEvent]:
        """Take the server's word that this client is not in a room."""
        if not self._knows(message.room_id):
            return []
        self.leave(message.room_id)
        return [message]

    def update(self, message: PresenceUpdate) -> Sequence[ClientEvent]:
        """Apply what has changed.

        Raises:
            ResyncNeeded: It does not fit what is known of the room.
            ProtocolError: The room was never joined, or nobody has said who this client is there.
        """
        room_id = message.room_id
        if not self._knows(room_id):
            return []
        members = {} if message.whole else dict(self._members[room_id])
        for name in message.left:
            if members.pop(name, None) is None:
                raise ResyncNeeded(f"{name} leaves room {room_id}, but was not there")
        members.update((member.id, member) for member in message.here)
        for move in message.moved:
            member = members.get(move.id)
            if member is None:
                raise ResyncNeeded(f"{move.id} moves in room {room_id}, but is not there")
            members[move.id] = PresenceMember(move.id, member.who, move.state)
        me = message.me or self._me.get(room_id)
        if me is None:
            raise ProtocolError(ErrorCode.BAD_MESSAGE, f"the first update of room {room_id} does not say who this is")
        self._members[room_id], self._me[room_id] = members, me
        return [PresenceUpdated(room_id, members, me)]

    def _knows(self, room_id: int) -> bool:
        if room_id > self._last:
            raise ProtocolError(ErrorCode.BAD_MESSAGE, f"room {room_id} was never joined")
        return room_id in self._members
