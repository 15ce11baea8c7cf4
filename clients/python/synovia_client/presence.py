"""Who is in a room now: those whom the server tells of, and the state that this client shows them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from synovia_client.arguments import checked
from synovia_client.callbacks import Listeners, Unsubscribe
from synovia_client.change_counter import ChangeCounter
from synovia_client.clock import Clock, Deadline
from synovia_client.errors import FunctionError, RequestTimeout, SynoviaError
from synovia_client.throttle import Throttle, retry_after
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.messages import PresenceEnded
from synovia_protocol.sessions import ClientSession, PresenceUpdated

PAUSE: Final = 0.05
"""Seconds at least between two states that are sent: what is shown in between is seen by nobody."""
EARLY: Final = 0.002
"""Timers ring a little early; what they are for is due then."""
RETRY_SECONDS: Final = 2.0
_PASSING: Final = frozenset({ErrorCode.OVERLOADED, ErrorCode.SERVER_ERROR, ErrorCode.TIMEOUT, ErrorCode.RATE_LIMITED})
_OF_THE_CALLER: Final = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a room.

    Attributes:
        id: The same as long as their program runs; each window is somebody by itself.
        who: What the room's query says of them: the server vouches for it.
        state: What they show, unchecked.
        is_me: Whether it is this client.
    """

    id: str
    who: Any
    state: Any
    is_me: bool


Stage = Literal["new", "in", "out"]
"""The server is still to hear of it; it has; it has ended it."""


class Room:
    """A room as the client holds it; what a program sees of it is ``Presence``."""

    def __init__(self, path: str, args: dict[str, Any], state: Any) -> None:
        self.path = path
        self.args = args
        self.state = state
        self.members: Sequence[Member] = ()
        self.error: FunctionError | None = None
        self.current = False
        self.changed = ChangeCounter()
        self.watchers: Listeners[Sequence[Member]] = Listeners()
        self.room_id = 0
        self.stage: Stage = "new"
        self.stale = False
        self.paused_until = 0.0

    def tell(self) -> None:
        """Tell everybody who looks at it that it is another one."""
        self.changed.bump()
        self.watchers.emit(self.members)


class Rooms:
    """All rooms of a client, and what the server has not been told of them yet.

    Args:
        ready: Called when ``next_frame`` may have something.
    """

    def __init__(self, clock: Clock, throttle: Throttle, ready: Callable[[], None]) -> None:
        self._clock = clock
        self._throttle = throttle
        self._ready = ready
        self._rooms: dict[int, Room] = {}
        self._left: list[int] = []
        self._last_id = 0

    def join(self, room: Room) -> None:
        """Be in a room from now on."""
        self._number(room)
        self._ready()

    def _number(self, room: Room) -> None:
        self._last_id += 1
        room.room_id = self._last_id
        room.stage, room.stale = "new", False
        self._rooms[room.room_id] = room

    def leave(self, room: Room) -> None:
        """Be in it no more."""
        if self._rooms.pop(room.room_id, None) is not None and room.stage == "in":
            self._left.append(room.room_id)
            self._ready()

    def show(self, room: Room, state: Any) -> None:
        """Show another state, soon."""
        room.state = state
        if room.error is not None and room.error.code == ErrorCode.TOO_LARGE:
            self._again(room)
        elif not room.stale and room.stage == "in":
            room.stale = True
            wait = room.paused_until - self._clock.time()
            if wait > 0:
                self._throttle.after(wait, self._ready)
            else:
                self._ready()

    def next_frame(self, session: ClientSession) -> bytes | None:
        """Give what goes out next; None when there is nothing."""
        if self._left:
            return session.leave(self._left.pop(0))
        now = self._clock.time()
        for room_id, room in self._rooms.items():
            if room.stage == "new":
                room.stage, room.stale, room.paused_until = "in", False, now + PAUSE
                return session.join(room_id, room.path, room.args, room.state)
            if room.stale and now >= room.paused_until - EARLY:
                room.stale, room.paused_until = False, now + PAUSE
                return session.show(room_id, room.state)
        return None

    def updated(self, event: PresenceUpdated) -> None:
        """Take who is in a room."""
        room = self._rooms.get(event.room_id)
        if room is not None:
            members = event.members.values()
            room.members = tuple(Member(each.id, each.who, each.state, each.id == event.me) for each in members)
            room.error, room.current = None, True
            room.tell()

    def ended(self, message: PresenceEnded) -> None:
        """Take the server's word that this client is not in a room; where that passes by itself, join it again later."""
        room = self._rooms.get(message.room_id)
        if room is None:
            return
        room.members, room.error, room.current = (), FunctionError.of(message.error), False
        room.stage, room.stale = "out", False
        if message.error.code in _PASSING:
            self._throttle.after(_pause(message.error), lambda: self._again(room))
        room.tell()

    def _again(self, room: Room) -> None:
        if self._rooms.get(room.room_id) is room and room.stage == "out":
            del self._rooms[room.room_id]
            self.join(room)

    def identified(self) -> None:
        """It is settled who the client is: it may be let in where it was not before."""
        for room in list(self._rooms.values()):
            if room.error is not None and room.error.code in _OF_THE_CALLER:
                self._again(room)

    def disconnected(self) -> None:
        """The connection is gone: everything is to be joined again on the next one."""
        self._left.clear()
        for room in self._rooms.values():
            room.stage, room.stale, room.current = "new", False, False
            room.tell()

    def wake_all(self) -> None:
        """Wake everyone who waits: the client has ended."""
        for room in self._rooms.values():
            room.current = False
            room.tell()


def _pause(error: ErrorInfo) -> float:
    return max(retry_after(error) or 0.0, RETRY_SECONDS)


class Presence:
    """Being in a room while somebody is inside ``async with``.

    ``async for members in presence`` gives who is there now, then each change; who is slow gets the newest. It raises
    FunctionError when this client is not let in, or not any more; iterate again to wait until it is.
    """

    def __init__(
        self, room: Room, rooms: Rooms, ended: Callable[[], SynoviaError | None], deadline: Callable[[], Deadline]
    ) -> None:
        self._room = room
        self._rooms = rooms
        self._ended = ended
        self._deadline = deadline
        self._given = 0

    @property
    def members(self) -> Sequence[Member]:
        """Everybody who is there, this client too; none before the server has told, or while it does not let this one in."""
        return self._room.members

    @property
    def others(self) -> Sequence[Member]:
        """The same without this client."""
        return tuple(member for member in self.members if not member.is_me)

    @property
    def current(self) -> bool:
        """Whether that is so at present; while the connection is gone, it is what was known last."""
        return self._room.current

    @property
    def error(self) -> FunctionError | None:
        """Why this client is not in the room; None if it is, or it is not known yet."""
        return self._room.error

    @property
    def state(self) -> Any:
        """What this client shows."""
        return self._room.state

    def update(self, state: Any) -> None:
        """Show the others another state: a small wire value, sent at most 20 times a second, the newest in any case.

        Raises:
            FunctionError: ``invalid_arguments``: it cannot be sent.
        """
        self.show(self.checked(state))

    def checked(self, state: Any) -> Any:
        """Give a copy of a state that can be sent; FunctionError if it cannot."""
        return checked(self._room.path, {"state": state})["state"]

    def show(self, state: Any) -> None:
        """Show a state that is checked already."""
        self._rooms.show(self._room, state)

    def enter(self) -> None:
        """Begin to be in the room; ``async with`` does this, and waits until it is known whether this client is let in."""
        self._rooms.join(self._room)

    def exit(self) -> None:
        """Be in it no more."""
        self._rooms.leave(self._room)

    def on_change(self, callback: Callable[[Sequence[Member]], object]) -> Unsubscribe:
        """Be told each time that somebody comes, goes or shows something else."""
        return self._room.watchers.add(callback)

    async def __aenter__(self) -> Self:
        if (error := self._ended()) is not None:
            raise error
        self.enter()
        try:
            async with self._deadline():
                while not self._room.current and self._room.error is None:
                    await self._next()
        except TimeoutError:
            self.exit()
            raise RequestTimeout(f"the room of {self._room.path} was not entered in time") from None
        except BaseException:
            self.exit()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.exit()

    async def __aiter__(self) -> AsyncGenerator[Sequence[Member], None]:
        while True:
            if self._room.changed.count > self._given:
                self._given = self._room.changed.count
                if self._room.error is not None:
                    raise self._room.error.again()
                yield self._room.members
            else:
                await self._next()

    async def _next(self) -> None:
        await self._room.changed.after(self._room.changed.count)
        if (error := self._ended()) is not None:
            raise error
