"""Rooms that clients of several hubs are in: each hub tells the others who is there by it.

A hub asks every other one for the rooms that its own clients are in, and is told who is there whenever that changes; it
tells at most once every few milliseconds, the newest of each, and again all of it after a connection has broken. Whoever
says nothing for some seconds, not even that nothing has changed, is gone, and all who were there by it. Nothing of this is
written to the database, which only holds where hubs are reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from synovia.hubs.forwarding import PRESENCE
from synovia.hubs.leadership import Mark
from synovia.hubs.link import Link, LinkLost
from synovia.presence.room import Changes
from synovia.presence.rooms import OpenRoom, Rooms
from synovia.presence.wire import Report, pack_report, parts_of, unpack_report
from synovia.tasks import end, keep_running

logger = logging.getLogger("synovia")

BEAT_SECONDS: Final = 2.0
"""So often a hub says that it is there, whether or not something has changed."""
SILENCE_SECONDS: Final = 6.0
"""A hub that has said nothing for so long is gone, and all who were there by it."""
WATCH_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.005
"""Between two reports to one hub; what happens meanwhile goes together."""
ANSWER_SECONDS: Final = 5.0
ANEW: Final = b"anew"
"""The answer of a hub that has forgotten what it was told before, or never heard it."""
_SHORTEST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0

Connect = Callable[[Mark], Awaitable[Link]]


@dataclass(slots=True, eq=False)
class Told:
    """What another hub knows of one room, from its opening there to its end.

    Attributes:
        room: The room here; None: it has not been told of any.
        number: The newest change of those of this hub that it has been told.
    """

    room: OpenRoom | None = None
    number: int = 0


_Telling = list[tuple[bytes, Told, OpenRoom, int]]
"""By room, what another hub knows of it, and what it will know once it has taken a report."""


class Colleague:
    """Another hub, as far as rooms are concerned.

    Attributes:
        told: By room that is open there too, what it has been told of it.
        opened, closed: What it has not been told of the rooms of this hub.
    """

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.news = asyncio.Event()
        self.told: dict[bytes, Told] = {}
        self.opened: set[bytes] = set()
        self.closed: set[bytes] = set()
        self.task: asyncio.Task[None] | None = None

    def begin(self, keys: Iterable[bytes]) -> None:
        """Take notice that it has opened rooms, of which it knows nothing."""
        self.told.update((key, Told()) for key in keys)

    def has_heard(self, telling: _Telling) -> None:
        """Take notice that it has taken a report; a room that it has opened anew meanwhile knows nothing of that."""
        for key, told, room, number in telling:
            if self.told.get(key) is told:
                told.room, told.number = room, number


class Sharing:
    """The rooms of this hub beside those of the others.

    Args:
        name: This hub's.
        connect: Opens a connection to another hub; OSError or LinkLost if that is not to be had.
        clock: Tells seconds that never go back.
        lost: Called with a hub that cannot be reached, each time.
    """

    def __init__(
        self,
        rooms: Rooms,
        name: bytes,
        connect: Connect,
        lost: Callable[[Mark], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rooms = rooms
        self._name = name
        self._connect = connect
        self._lost = lost
        self._clock = clock
        self._others: dict[bytes, Colleague] = {}
        self._wants: dict[
            bytes, set[bytes]
        ] = {}  # by hub: the rooms that are open there; a hub may speak before it is known
        self._heard_at: dict[bytes, float] = {}
        self._watcher: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look who has gone silent."""
        self._rooms.elsewhere = self
        self._watcher = asyncio.create_task(self._watch(), name="presence at other hubs")

    async def stop(self) -> None:
        """Tell nobody any more."""
        tasks = [other.task for other in self._others.values() if other.task is not None]
        await end([*tasks, *([] if self._watcher is None else [self._watcher])])
        self._others.clear()

    # --- which hubs there are

    def know(self, marks: Iterable[Mark]) -> None:
        """Take notice of which other hubs there are now."""
        known = {mark.name: mark for mark in marks if mark.name != self._name}
        for name in self._others.keys() - known.keys():
            task = self._others.pop(name).task
            if task is not None:
                task.cancel()
            self._forget(name)
        for name in known.keys() - self._others.keys():
            other = self._others[name] = Colleague(known[name])
            other.begin(self._wants.get(name, ()))
            other.task = keep_running(partial(self._tell, other), "presence to another hub")

    # --- what is told

    def opened(self, room: OpenRoom) -> None:
        """Ask who is there at other hubs."""
        for other in self._others.values():
            other.closed.discard(room.key)
            other.opened.add(room.key)
            other.news.set()

    def closed(self, room: OpenRoom) -> None:
        """Ask no more."""
        for other in self._others.values():
            other.opened.discard(room.key)
            other.closed.add(room.key)
            other.news.set()

    def changed(self, room: OpenRoom) -> None:
        """Tell those hubs of it in which the room is open, too."""
        for other in self._others.values():
            if room.key in other.told:
                other.news.set()

    async def _tell(self, other: Colleague) -> None:
        wait = _SHORTEST_WAIT
        while True:
            began = self._clock()
            try:
                await self._tell_until_it_breaks(other)
            except (OSError, EOFError, TimeoutError, LinkLost) as error:
                logger.debug("a hub is not told who is present: %s", error or type(error).__name__)
                await self._lost(other.mark)
            wait = _SHORTEST_WAIT if self._clock() - began > _LONGEST_WAIT else wait
            await asyncio.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 2)

    async def _tell_until_it_breaks(self, other: Colleague) -> None:
        link = await self._connect(other.mark)
        try:
            anew = True
            while True:
                other.news.clear()
                report, telling = self._report(other, anew=anew)
                anew = not await self._send(link, report)
                await asyncio.sleep(PAUSE_SECONDS)
                if anew:
                    continue
                other.has_heard(telling)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await other.news.wait()
        finally:
            await link.close()

    @staticmethod
    async def _send(link: Link, report: Report) -> bool:
        """Send a report; tell whether it has been taken, or all is wanted anew."""
        for part in parts_of(report):
            async with asyncio.timeout(ANSWER_SECONDS):
                if await link.ask(PRESENCE + pack_report(part)) == ANEW:
                    return False
        return True

    def _report(self, other: Colleague, *, anew: bool) -> tuple[Report, _Telling]:
        """Make what a hub is to be told, and say up to which changes that is."""
        opened, closed = sorted(other.opened), sorted(other.closed)
        if anew:
            opened, closed = [room.key for room in self._rooms], []
            other.begin(list(other.told))
        other.opened, other.closed = set(), set()
        changes: list[tuple[bytes, Changes]] = []
        telling: _Telling = []
        for key, told in other.told.items():
            room = self._rooms.get(key)
            number = told.number if told.room is room else None
            if room is not None and room.ours.number != number:
                changes.append((key, room.ours.since(number)))
                telling.append((key, told, room, room.ours.number))
            elif room is None and key in closed:
                changes.append((key, Changes([], [], [], whole=True)))
        return Report(self._name, anew, opened, closed, changes), telling

    # --- what is heard

    async def receive(self, packed: bytes) -> bytes:
        """Take what another hub tells; the answer says that it has come, or that all of it is wanted."""
        report = unpack_report(packed)
        if report.anew:
            self._forget(report.hub)
        elif report.hub not in self._heard_at:
            return ANEW
        self._heard_at[report.hub] = self._clock()
        self._want(report)
        for key, changes in report.changes:
            room = self._rooms.get(key)
            if room is not None:
                room.take(report.hub, changes)
        return b""

    def _want(self, report: Report) -> None:
        wants = self._wants.setdefault(report.hub, set())
        wants.update(report.opened)
        wants.difference_update(report.closed)
        other = self._others.get(report.hub)
        if other is not None and (report.opened or report.closed):
            for key in report.closed:
                other.told.pop(key, None)
            other.begin(report.opened)
            other.news.set()

    def _forget(self, hub: bytes) -> None:
        """Know nothing any more of who is there by a hub, nor of what it wants to know."""
        self._heard_at.pop(hub, None)
        self._wants.pop(hub, None)
        other = self._others.get(hub)
        if other is not None:
            other.told.clear()
        for room in list(self._rooms):
            room.lose(hub)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = self._clock()
            for hub, heard_at in list(self._heard_at.items()):
                if now - heard_at > SILENCE_SECONDS:
                    logger.info("a hub says nothing any more: nobody is present there")
                    self._forget(hub)
