"""The rooms that one client is in: who may, what it shows, what it is told.

Who may is said by the query whose room it is: the client is inside as long as that, kept up to date like any live query,
has a result, and the result is what the others see of who it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any, Final

from synovia.errors import FunctionError
from synovia.identity import Account, Identity
from synovia.limits.settings import HubLimits
from synovia.presence.room import Claim
from synovia.presence.rooms import OpenRoom, Rooms
from synovia.sync.ports import Engine
from synovia.sync.subscription import Subscription
from synovia_protocol.codec import pack
from synovia_protocol.errors import ErrorCode, ErrorInfo
from synovia_protocol.messages import PresenceEnded, PresenceJoin, PresenceLeave, PresenceState, QueryAdd
from synovia_protocol.sessions import ServerSession

SILENCE_SECONDS: Final = 12.0
"""A client that has sent nothing for so long is shown to nobody, until it sends something: clients ping more often."""
_INTEGERS: Final = 2**53
"""Below it JavaScript has no other form for a number without a fraction."""


class Membership:
    """One client in one room.

    Attributes:
        query: What says whether it may be here, and who it is; the engine's subscriber.
        state: What the client shows, packed.
        who: What the query says of it, packed; None: not known yet.
    """

    def __init__(self, query: Subscription, name: str, room: OpenRoom, state: bytes) -> None:
        self.query = query
        self.name = name
        self.room = room
        self.state = state
        self.who: bytes | None = None
        self.told: int | None = None
        self.since = time.time_ns()
        self._entered = 0

    @property
    def has_news(self) -> bool:
        """Whether the client is to be told something: at first all who are there, itself among them."""
        before = self._entered - 1 if self.told is None else self.told
        return self.who is not None and before < self.room.published

    def show(self, *, visible: bool) -> None:
        """Have the others see the client as it is, or not at all."""
        if self.who is not None and visible:
            self.room.show(self.name, self, Claim(self.since, self.who, self.state))
        else:
            self.room.remove(self.name, self)
        if self.who is not None:
            self._entered = self._entered or self.room.everybody.number


class ClientPresence:
    """What one client is in.

    Args:
        wake: Called when ``advance`` may have something new.
        end: Tells the client that it is not in a room.
    """

    def __init__(
        self,
        engine: Engine,
        rooms: Rooms,
        session: ServerSession,
        limits: HubLimits,
        account: Account,
        wake: Callable[[], None],
        end: Callable[[PresenceEnded], None],
    ) -> None:
        self.wake = wake
        self.identity: Identity | None = None
        self._engine = engine
        self._rooms = rooms
        self._session = session
        self._limits = limits
        self._account = account
        self._end = end
        self._members: dict[int, Membership] = {}
        self._silent = False
        self._looking = False

    def __len__(self) -> int:
        return len(self._members)

    # --- what the client does

    def join(self, message: PresenceJoin) -> None:
        """Begin to be in a room; the client is shown, and told who is there, once it is known that it may."""
        state = self._packed(message.room_id, message.state)
        if state is None:
            return
        if len(self._members) >= self._limits.max_rooms:
            text = f"a connection may be in {self._limits.max_rooms} rooms"
            self._refuse(message.room_id, ErrorInfo(ErrorCode.LIMIT_EXCEEDED, text))
            return
        query = self._ask(QueryAdd(message.room_id, message.path, message.args))
        if query is None:
            return
        key = _key(message)
        connect = self._session.connect
        name = _name(b"" if connect is None else connect.session, key, message.room_id)
        room = self._rooms.enter(key, self)
        self._members[message.room_id] = Membership(query, name, room, state)
        self._look_soon()

    def show(self, message: PresenceState) -> None:
        """Show something else; that of a room which has ended meanwhile is passed over."""
        member = self._members.get(message.room_id)
        if member is None:
            return
        state = self._packed(message.room_id, message.state)
        if state is None:
            self._drop(message.room_id)
            return
        member.state = state
        member.show(visible=self._visible)

    def leave(self, message: PresenceLeave) -> None:
        """Be gone from a room."""
        self._drop(message.room_id)

    def _packed(self, room_id: int, state: object) -> bytes | None:
        packed = pack(state)
        if len(packed) <= self._limits.max_presence_bytes:
            return packed
        text = f"a state of {len(packed)} bytes; at most {self._limits.max_presence_bytes} are shown to others"
        self._refuse(room_id, ErrorInfo(ErrorCode.TOO_LARGE, text))
        return None

    def _refuse(self, room_id: int, error: ErrorInfo) -> None:
        if self._session.is_in_room(room_id):  # not if it has left, and that waits for its turn
            self._end(PresenceEnded(room_id, error))

    def _ask(self, added: QueryAdd) -> Subscription | None:
        room_id, path = added.query_id, added.path
        query = Subscription(added, self._look_soon, self._engine.floor(self._look_soon))
        try:
            query.live = self._engine.subscribe(query, path, added.args, self.identity, account=self._account)
        except FunctionError as error:
            self._refuse(room_id, error.info)
            return None
        if query.live.has_room:
            return query
        self._engine.unsubscribe(query, query.live)
        text = f"{path} has no room: @query(presence=True) gives it one"
        self._refuse(room_id, ErrorInfo(ErrorCode.WRONG_KIND, text))
        return None

    # --- what becomes of it

    @property
    def _visible(self) -> bool:
        """Whether others see it: not while its line is broken, nor if somebody only looks as somebody else."""
        return not self._silent and (self.identity is None or self.identity.impersonation is None)

    def sign_in(self, identity: Identity | None) -> None:
        """Become another caller: each room's query is asked again, and nobody is shown as who they were before."""
        if identity == self.identity:
            self.identity = identity
            return
        self.identity = identity
        for room_id, member in list(self._members.items()):
            self._engine.unsubscribe(member.query, member.query.live)
            query = self._ask(member.query.asked_again())
            if query is None:
                self._forget(room_id)
                continue
            member.query, member.who = query, None
            member.show(visible=False)
        self._look_soon()

    def watch(self, silent: Callable[[float], bool]) -> None:
        """Look whether the client still sends anything: one behind a broken line is shown no longer."""
        if silent(SILENCE_SECONDS) != self._silent:
            self._silent = not self._silent
            for member in self._members.values():
                member.show(visible=self._visible)

    def _look_soon(self) -> None:
        if not self._looking:  # the engine tells in the middle of what it does
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking = False
        for room_id, member in list(self._members.items()):
            self._look_at(room_id, member)

    def _look_at(self, room_id: int, member: Membership) -> None:
        ts, version = member.query.live.newest(self._engine.head)
        if version is None or version is member.query.version or member.query.too_old(ts):
            return
        error = version.error or (self._crowded(member) if member.who is None else None)
        if error is not None:
            self._refuse(room_id, error)
            self._drop(room_id)
        elif version.packed is not None:
            member.query.version = version
            member.who = version.packed
            member.show(visible=self._visible)
            self.wake()

    def _crowded(self, member: Membership) -> ErrorInfo | None:
        most = self._limits.max_room_members
        if len(member.room.everybody) < most:
            return None
        return ErrorInfo(ErrorCode.LIMIT_EXCEEDED, f"{most} are in this room, as many as may be")

    def _drop(self, room_id: int) -> None:
        member = self._members.get(room_id)
        if member is not None:
            self._engine.unsubscribe(member.query, member.query.live)
            self._forget(room_id)

    def _forget(self, room_id: int) -> None:
        member = self._members.pop(room_id)
        member.room.remove(member.name, member)
        if not any(each.room is member.room for each in self._members.values()):
            self._rooms.exit(member.room, self)

    def close(self) -> None:
        """Be gone from everywhere."""
        for room_id in list(self._members):
            self._drop(room_id)

    # --- what the client is told

    def advance(self) -> list[bytes]:
        """Give the frames that tell the client what has changed in its rooms."""
        told = [(room_id, member) for room_id, member in self._members.items() if member.has_news]
        return [self._tell(room_id, member) for room_id, member in told if self._session.is_in_room(room_id)]

    def _tell(self, room_id: int, member: Membership) -> bytes:
        first = member.told is None
        packed, member.told = member.room.packed_since(member.told)
        return self._session.send_presence(room_id, packed, member.name if first else None)


def _key(join: PresenceJoin) -> bytes:
    """Name a room alike on all hubs."""
    return hashlib.blake2b(join.path.encode() + b"\0" + pack(_alike(join.args)), digest_size=16).digest()


def _alike(value: Any) -> Any:
    """Give equal values one form: JavaScript sends 2.0 as 2, and a map is in the order in which a program has filled it."""
    if isinstance(value, dict):
        return {name: _alike(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_alike(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _INTEGERS else value


def _name(session: bytes, key: bytes, room_id: int) -> str:
    """Give the id of a client in a room: the same when it comes back, and it tells nothing of its session."""
    return hashlib.blake2b(session + key + room_id.to_bytes(8, "big"), digest_size=8).hexdigest()
