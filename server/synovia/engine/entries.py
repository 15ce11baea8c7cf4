"""A mutation that has run, on its way to its commit, and the attempts to commit it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from synovia.charges import Charge, current
from synovia.engine.freshness import Floor
from synovia.engine.tracing import CallTrace
from synovia.schema import RunIds
from synovia.store.base import PreparedWrites, RequestRecord, Ts, Write
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import ReadSet

LARGE: Final = 500
"""A mutation with more writes is committed alone."""
MANY_ENTRIES: Final = 1_000
"""One that changes more entries of indexes likewise."""


class Outdated(Exception):
    """What a mutation read has changed since, or was never committed: run it again.

    ``uncertain``: it may have been committed all the same. ``elsewhere``: another hub has changed it. ``unexplained``: what
    the store says of it, though the log has brought nothing that it could mean.
    """

    def __init__(
        self, *, uncertain: bool = False, elsewhere: bool = False, unexplained: Exception | None = None
    ) -> None:
        super().__init__("what was read has changed")
        self.uncertain = uncertain
        self.elsewhere = elsewhere
        self.unexplained = unexplained


class State(Enum):
    """How far an entry has come."""

    STAGED = "staged"
    COMMITTING = "committing"
    DURABLE = "durable"
    DROPPED = "dropped"


# Looked up by themselves: to read them off the class takes as long as a call.
_STAGED, _COMMITTING, _DURABLE = State.STAGED, State.COMMITTING, State.DURABLE


@dataclass(slots=True, eq=False)
class Submission:
    """What a mutation has read and wants to write.

    Attributes:
        reads: All that it has read.
        decisive: What of it must not have changed; less than ``reads`` if it is content with a snapshot.
        keyed: The writes with their keys.
        ids: The ids that it made.
        floor: How far the database had come when it was asked for, if anybody has looked.
        entries: How many entries of indexes it changes, as far as it has counted them.
    """

    reads: ReadSet
    decisive: ReadSet
    writes: Sequence[Write]
    request: RequestRecord | None
    keyed: KeyedCommit
    ids: RunIds | None = None
    floor: Floor | None = None
    entries: int = 0

    @property
    def is_large(self) -> bool:
        """Whether it is better committed alone, so that others need not wait for it."""
        return len(self.writes) > LARGE or self.entries > MANY_ENTRIES


@dataclass(slots=True, eq=False)
class Entry:
    """A mutation on the stage.

    Attributes:
        number: Its place among all changes that the stage has seen.
        ts: Its commit, once it is durable.
        uncertain: The store could not say whether an attempt to commit it has succeeded.
        overtaken: Another program has changed what it read while it was being committed.
        is_large: As of ``Submission``.
        prepared: What the store has made ready of it; while it ``is_preparing`` others go first.
        trace: Where its call stands in its trace, if that is traced.
        charge: What its commit is charged to.
        done: Its commit's timestamp; or Outdated, or what the store says against it.
    """

    submission: Submission
    number: int
    epoch: int
    is_large: bool = False
    state: State = _STAGED
    ts: Ts | None = None
    uncertain: bool = False
    overtaken: bool = False
    prepared: PreparedWrites | None = None
    is_preparing: bool = False
    trace: CallTrace | None = None
    charge: Charge | None = field(default_factory=current)
    done: asyncio.Future[Ts] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def commit(self) -> KeyedCommit:
        """What it writes."""
        return self.submission.keyed

    def may_go_before(self, others: Iterable[Entry]) -> bool:
        """Tell whether it comes to the same if it is committed before others that were staged before it."""
        return not any(
            self.submission.reads.overlaps(other.commit) or other.submission.reads.overlaps(self.commit)
            for other in others
        )

    def leans_on(self, dropped: Iterable[Entry]) -> bool:
        """Tell whether it has read what others wrote that are dropped now."""
        return any(self.submission.reads.overlaps(entry.commit) for entry in dropped)

    def settle(self, ts: Ts) -> None:
        """Take notice that it is durable, and tell whoever waits for it."""
        if self.state is _STAGED or self.state is _COMMITTING:
            self.state, self.ts = _DURABLE, ts
            if self.trace is not None:
                self.trace.committed(ts)
            if not self.done.done():
                self.done.set_result(ts)

    def fail(self, error: Exception) -> None:
        """Give it up."""
        self.state = State.DROPPED
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(slots=True, eq=False)
class Attempt:
    """Entries that the committer tries to make durable in one transaction.

    Attributes:
        token: By this the log tells whether it has taken place.
        fence: How many Synovia transactions came before it.
        ts: Its timestamp, once the store has told it.
        heard: Done as soon as the log has brought it, or the store has answered.
    """

    token: bytes
    fence: int
    entries: list[Entry]
    ts: Ts | None = None
    heard: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def hear(self) -> None:
        """Take notice that the log or the store tells of it."""
        if not self.heard.done():
            self.heard.set_result(None)

    @property
    def is_settled(self) -> bool:
        """Whether it is known to have taken place."""
        return all(entry.state is State.DURABLE for entry in self.entries)

    def is_overtaken(self, fence: int) -> bool:
        """Tell whether it can never take place, for what the log has brought: another transaction with its number (there
        have been ``fence``), or something that has made an entry run again."""
        return fence > self.fence or any(entry.state is State.DROPPED for entry in self.entries)
