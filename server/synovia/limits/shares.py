"""The shares that addresses have in what the hub computes: whoever has had more than an even one waits while it is short.

Loads are seconds of computing for each second, of late: what has been computed counts less and less. As long as all of them
together leave room, nobody waits. Beyond that there is a level, found as water finds its own, above which loads are too
high: below it everybody has what they ask for, and those above share what is left (max-min fairness: Bertsekas and Gallager,
*Data Networks*, 2nd ed. 1992, section 6.5).
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from synovia.charges import Payer
from synovia.turns import Turns

ROOM: Final = 0.6
"""A hub of which more is asked than so many seconds a second lets those wait who ask for most."""
MUCH: Final = 0.1
"""Whoever asks for less than that does not wait: many who ask for little may ask for all there is."""
SECONDS: Final = 0.25
"""After so many seconds a load counts a third (1/e)."""
BURST_SECONDS: Final = 0.03
"""The same for what is had all at once, as by an address that nobody has heard of before."""
TOO_MUCH: Final = 0.25
"""Others go first beside whoever has had so many seconds a second, in either time, and more than they have on average."""
AMONG_SECONDS: Final = 1.0
"""Whoever has had something computed so lately is among those who share."""
_GRAIN_SECONDS: Final = 0.001
"""What is computed within so many seconds counts as if it had been at once: it is counted several times for each call."""
_LEVEL_SECONDS: Final = 0.01
_LEAST_PAUSE: Final = 0.001
_MOST_PAUSE: Final = 0.1
_USUAL_SECONDS: Final = 0.001
_MEMORY: Final = 0.2


class Load:
    """How much has been computed of late; after ``lasting`` seconds that counts a third."""

    __slots__ = ("_at", "_lasting", "_seconds")

    def __init__(self, now: float, lasting: float = SECONDS) -> None:
        self._at = now
        self._lasting = lasting
        self._seconds = 0.0

    def add(self, seconds: float, now: float) -> None:
        """Count some; what is negative was counted too much."""
        if now - self._at >= _GRAIN_SECONDS:
            self._seconds *= self._left(now)
            self._at = now
        seconds += self._seconds
        self._seconds = seconds if seconds > 0.0 else 0.0

    def of(self, now: float) -> float:
        """Tell the seconds of computing for each second."""
        return self._seconds * self._left(now) / self._lasting

    def _left(self, now: float) -> float:
        return math.exp((self._at - now) / self._lasting) if now > self._at else 1.0


class Shares:
    """All of those who have something computed.

    Args:
        clock: Tells seconds, steadily.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._all = Load(clock())
        self._all_bursts = Load(clock(), BURST_SECONDS)
        self._among: OrderedDict[Share, float] = OrderedDict()  # who was charged last is at the end
        self._level = math.inf
        self._level_at = -math.inf

    def note(self, share: Share, seconds: float, now: float) -> None:
        """Count what was computed for somebody."""
        self._all.add(seconds, now)
        self._all_bursts.add(seconds, now)
        self._among[share] = now
        self._among.move_to_end(share)
        while self._among[first := next(iter(self._among))] < now - AMONG_SECONDS:
            del self._among[first]

    def wait(self, share: Share) -> float:
        """Tell for how many seconds one should wait; then it asks again."""
        now = self.clock()
        if self.is_alone(share, now) or (load := self._all.of(now)) <= ROOM:
            return 0.0
        own, level = share.load.of(now), max(MUCH, self._present_level(now))
        if own <= level:
            return 0.0
        pause = SECONDS * min(math.log(own / level), math.log(load / ROOM))
        return min(_MOST_PAUSE, max(_LEAST_PAUSE, pause))

    def is_much(self, share: Share) -> bool:
        """Tell whether one has had so much, and more than the others on average, that these go first."""
        now = self.clock()
        if self.is_alone(share, now):
            return False
        loads = (share.load.of(now), self._all), (share.burst.of(now), self._all_bursts)
        return any(own > TOO_MUCH and own * len(self._among) > together.of(now) for own, together in loads)

    def is_alone(self, share: Share, now: float) -> bool:
        """Tell whether nobody else has had anything computed of late."""
        for other in reversed(self._among):
            if other is not share:
                return self._among[other] < now - AMONG_SECONDS
        return True

    def _present_level(self, now: float) -> float:
        if now - self._level_at > _LEVEL_SECONDS:
            self._level_at = now
            self._level = level([share.load.of(now) for share in self._among])
        return self._level


def level(loads: list[float]) -> float:
    """Tell above which level loads are too high: cut off there, all of them have just room."""
    left = ROOM
    for number, load in enumerate(sorted(loads)):
        even = left / (len(loads) - number)
        if load > even:
            return even
        left -= load
    return math.inf


class Share(Payer):
    """That of one.

    Attributes:
        load: What has been computed for it, and ``burst`` what all at once.
    """

    __slots__ = (
        "_front",
        "_in_line",
        "_shares",
        "_spent_at",
        "_turns",
        "_uncounted",
        "_usual",
        "burst",
        "load",
        "name",
    )

    def __init__(self, shares: Shares, name: str | None = None) -> None:
        self.name = name
        self._shares = shares
        self._turns = Turns(1)
        self._usual = _USUAL_SECONDS
        self._front = asyncio.Lock()
        self._in_line = 0
        self._uncounted = 0.0
        self._spent_at = -math.inf
        self.load = Load(shares.clock())
        self.burst = Load(shares.clock(), BURST_SECONDS)

    def spend(self, seconds: float) -> None:
        """Count what has been computed; a little of it a moment later, with what comes next."""
        self._spend(seconds, self._shares.clock())

    def _spend(self, seconds: float, now: float) -> None:
        seconds += self._uncounted
        if -_GRAIN_SECONDS < seconds < _GRAIN_SECONDS and now - self._spent_at < _GRAIN_SECONDS:
            self._uncounted = seconds
            return
        self._uncounted, self._spent_at = 0.0, now
        self.load.add(seconds, now)
        self.burst.add(seconds, now)
        self._shares.note(self, seconds, now)

    def wait(self) -> float:
        """Tell the seconds for which a call would have to wait now, or until it may ask again."""
        return max(self._shares.wait(self), _LEAST_PAUSE if self._in_line else 0.0)

    @property
    def alone(self) -> bool:
        return self._shares.is_alone(self, self._shares.clock())

    async def admit(self) -> float:
        """Wait for a turn, behind those who do already; give the seconds that were charged for what begins now: as many
        as it is likely to take, so that not everybody begins before the first has been charged."""
        now = self._shares.clock()
        if not self._in_line and self._shares.is_alone(self, now):
            return self._prepay(now)
        if self._in_line or self._shares.wait(self) > 0:
            self._in_line += 1
            try:
                async with self._front:
                    while (wait := self._shares.wait(self)) > 0:  # noqa: ASYNC110 (time is what it waits for)
                        await asyncio.sleep(wait)
                    return await self._begin()
            finally:
                self._in_line -= 1
        return await self._begin()

    async def _begin(self) -> float:
        """Let others go on between two that begin, if it has had much: many may be due at the same moment."""
        if self.has_much:
            await self._turns.begin()
        return self._prepay(self._shares.clock())

    async def take_turn(self, *, large: bool = False) -> None:
        """Wait a moment before something small is done, as handling a message, while the share is used up; no longer, as it
        may be that the client has gone.

        Args:
            large: It is not so small: others have theirs between two of that kind, whoever sends them.
        """
        if not large and self.alone:
            return
        if (wait := self._shares.wait(self)) > 0:
            await asyncio.sleep(wait)
        if large:
            await self._turns.begin()
        elif self.has_much:
            await self._turns.step()

    @property
    def has_much(self) -> bool:
        """Whether others, of whom there are some, go first with what is small, too."""
        return self._shares.is_much(self)

    def _prepay(self, now: float) -> float:
        self._spend(self._usual, now)
        return self._usual

    def settle(self, left: float, cost: float) -> None:
        """Give back what a call has not needed of what was charged beforehand."""
        if left > 0:
            self._spend(-left, self._shares.clock())
        self._usual += _MEMORY * (cost - self._usual)
