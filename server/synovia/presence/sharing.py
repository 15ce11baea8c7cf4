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
from typing import Final

from synovia.hubs.forwarding import PRESENCE
from synovia.hubs.leadership import Mark
from synovia.hubs.link import Link, LinkLost
from synovia.presence.room import Changes
from synovia.presence.rooms import OpenRoom, Rooms
from synovia.presence.wire import Report, pack_report, unpack_report
from synovia.tasks import end

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
_LONGEST_WAIT: Final = 5.0

Connect = Callable[[Mark], Awaitable[Link]]


class Colleague:
    """Another hub, as far as rooms are concerned.

    Attributes:
        told: By room that is open there too, the room here and the newest change of those of this hub that it has been told;
            None: nothing.
        opened, closed: What it has not been told of the rooms of this hub.
    """

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.news = asyncio.Event()
        self.told: dict[bytes, tuple[OpenRoom, int] | None] = {}
        self.opened: set[bytes] = set()
        self.closed: set[bytes] = set()
        self.task: asyncio.Task[None] | None = None


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
            other.told = dict.fromkeys(self._wants.get(name, ()), None)
            other.task = asyncio.create_task(self._tell(other), name="presence to another hub")

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
        wait = 0.1
        while True:
            try:
                await self._tell_until_it_breaks(other)
            except (OSError, EOFError, TimeoutError, LinkLost) as error:
                logger.debug("a hub is not told who is present: %s", error or type(error).__name__)
                await self._lost(other.mark)
            await asyncio.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 2)

    async def _tell_until_it_breaks(self, other: Colleague) -> None:
        link = await self._connect(other.mark)
        try:
            anew = True
            while True:
                other.news.clear()
                report, told = self._report(other, anew=anew)
                async with asyncio.timeout(ANSWER_SECONDS):
                    anew = await link.ask(PRESENCE + pack_report(report)) == ANEW
                if anew:
                    continue
                other.told.update((key, now) for key, now in told.items() if key in other.told)
                await asyncio.sleep(PAUSE_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await other.news.wait()
        finally:
            await link.close()

    def _report(self, other: Colleague, *, anew: bool) -> tuple[Report, dict[bytes, tuple[OpenRoom, int]]]:
        """Make what a hub is to be told, and say up to which changes that is."""
        opened, closed = sorted(other.opened), sorted(other.closed)
        if anew:
            opened, closed = [room.key for room in self._rooms], []
            other.told = dict.fromkeys(other.told, None)
        other.opened, other.closed = set(), set()
        changes: list[tuple[bytes, Changes]] = []
        told: dict[bytes, tuple[OpenRoom, int]] = {}
        for key, before in other.told.items():
            room = self._rooms.get(key)
            number = before[1] if before is not None and before[0] is room else None
            if room is not None and room.ours.number != number:
                changes.append((key, room.ours.since(number)))
                told[key] = room, room.ours.number
            elif room is None and key in closed:
                changes.append((key, Changes([], [], [], whole=True)))
        return Report(self._name, anew, opened, closed, changes), told

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
            other.told.update(dict.fromkeys(report.opened, None))
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
