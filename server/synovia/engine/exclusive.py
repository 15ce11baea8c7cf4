"""Mutations that run alone: whoever was overtaken once runs again while nobody changes what it reads, so it gets through.

It claims what its earlier runs have read. Others go on running meanwhile, and only those that write to what is claimed wait
until it is done; of two that are overtaken, the second waits as well if one is likely to overtake the other. What is claimed
is a guess: the stage validates every run all the same. Who reads something else each time claims everything in the end.

Who runs alone for too long, because it waits for something slow, does not hold others up any further; when it is overtaken
again, it has twice as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import ReadSet

SECONDS: Final = 1.0
MOST_SECONDS: Final = 16.0


@dataclass(slots=True)
class Claim:
    """What the runs of a mutation so far have read and wanted to write.

    Attributes:
        everything: Whether it keeps everybody out, whatever they write.
    """

    everything: bool = False
    _reads: list[ReadSet] = field(default_factory=list)
    _commit: KeyedCommit | None = None

    def extend(self, reads: ReadSet, commit: KeyedCommit | None) -> None:
        """Take in another run; ``commit`` is None if it has written nothing."""
        self._reads.append(reads)
        self._commit = commit

    def minds(self, commit: KeyedCommit) -> bool:
        """Tell whether it would be overtaken by a commit."""
        return self.everything or any(reads.overlaps(commit) for reads in self._reads)

    def meets(self, other: Claim) -> bool:
        """Tell whether one of two is likely to be overtaken by the other."""
        return self._would_mind(other) or other._would_mind(self)

    def _would_mind(self, other: Claim) -> bool:
        return self.everything or (other._commit is not None and self.minds(other._commit))


@dataclass(slots=True, eq=False)
class Turn:
    """One that runs alone, or waits until it may."""

    claim: Claim
    begun: bool = False
    over: bool = False
    start: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    held_up: list[asyncio.Future[None]] = field(default_factory=list)


class Exclusive:
    """Lets those run alone, in the order in which they ask, that do not get in each other's way.

    Attributes:
        turns: Who runs alone, or waits until it may.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._letting_by = False

    @asynccontextmanager
    async def alone(self, claim: Claim, seconds: float = SECONDS) -> AsyncIterator[Turn]:
        """Run the block while nobody stages what the claim minds, but no longer than ``seconds``."""
        turn = Turn(claim)
        self.turns.append(turn)
        try:
            await self._begin(turn)
            timer = asyncio.get_running_loop().call_later(seconds, self._release, turn)
            try:
                yield turn
            finally:
                timer.cancel()
        finally:
            self._release(turn)

    async def free(self, commit: KeyedCommit, own: Turn | None = None) -> None:
        """Wait until all are done who run alone now, and mind a commit; ``own`` waits only for those before it."""
        for turn in list(self.turns):
            if turn is own:
                return
            if turn.begun and not turn.over and turn.claim.minds(commit):
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                turn.held_up.append(future)
                await future

    async def _begin(self, turn: Turn) -> None:
        if self._letting_by or self._is_in_the_way(turn):
            await turn.start
        turn.begun = True

    def _is_in_the_way(self, turn: Turn) -> bool:
        """Tell whether somebody before it gets in its way."""
        before = self.turns[: self.turns.index(turn)]
        return any(turn.claim.meets(other.claim) for other in before)

    def _release(self, turn: Turn) -> None:
        if turn.over:
            return
        turn.over = True
        self.turns.remove(turn)
        for future in turn.held_up:
            if not future.done():
                future.set_result(None)
        # All of those come first, also before one of them that turns out to have been overtaken: they have waited.
        if not self._letting_by:
            self._letting_by = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._letting_by = False
        for turn in self.turns:
            if not turn.start.done() and not turn.begun and not self._is_in_the_way(turn):
                turn.begun = True
                turn.start.set_result(None)
