"""Counts and tallies rolled forward over what has been written since."""

from __future__ import annotations

from collections.abc import Iterable

from synovia.aggregates.tally import Tally
from synovia.store.base import Write
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import RangeRead
from synovia.turns import Turns


async def rolled_count(count: int, read: RangeRead, commits: Iterable[KeyedCommit], turns: Turns) -> int:
    """Give the number of documents that a read finds after some commits."""
    for commit in commits:
        for write in read.writes_of(commit):
            count += read.growth(write.write)
            await turns.step()
    return count


async def rolled_tally(tally: Tally, read: RangeRead, commits: Iterable[KeyedCommit], turns: Turns) -> Tally | None:
    """Give the tally of what a read finds after some commits; None if the database has to be asked.

    Raises:
        TooManyGroups: There are more groups now than one answer may have.
    """
    moved = tally.copy()
    for commit in commits:
        for write in read.writes_of(commit):
            if not move(moved, read, write.write):
                return None
            await turns.step()
    moved.check()
    return moved


def move(tally: Tally, read: RangeRead, write: Write) -> bool:
    """Take a write into a tally of what a read finds; tell whether the answer is still known."""
    before, after = write.before, write.after
    if after is not None and read.holds(after):
        tally.add(after)  # first: it may stand in for what goes
    return before is None or not read.holds(before) or tally.remove(before)
