"""The committer: serializable mutations by optimistic validation, many of them in one database transaction.

A mutation has read a snapshot and holds its writes. The committer takes every one that waits, checks what it read against
all commits after its snapshot and against those before it in the same batch, and gives the rest to the store as one
transaction (group commit). The batch names the number of Synovia transactions it has been checked against (the fence), so
another hub's commit in between makes the store refuse it; then the log brings that commit, the batch is checked again and
resubmitted. A mutation is run again only if what it read has really changed.

Optimistic validation: Kung and Robinson, "On optimistic methods for concurrency control", ACM TODS 6 (1981).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from synovia.engine.freshness import Floor
from synovia.engine.log import Log
from synovia.schema import Reading, RunIds
from synovia.store.base import (
    Batch,
    Conflict,
    RequestRecord,
    Store,
    StoreError,
    StoreUnavailable,
    StoreUnusable,
    Ts,
    Write,
)
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.readset import ReadSet

logger = logging.getLogger("synovia")

_OWN = 4096
"""So many of its own transactions a committer knows; as many as the log keeps."""
_LATELY = 60.0
FAULT_SECONDS = 30.0
"""So long a commit that failed counts as a fault, if none has succeeded since."""
_LARGE = 500
"""A mutation with more writes is committed alone."""


class Outdated(Exception):
    """What a mutation read has changed since, by the commit at ``ts``: run it again at a snapshot that shows that commit.

    ``uncertain``: that commit may be the mutation's own, whose acknowledgement was lost.
    """

    def __init__(self, ts: Ts, *, uncertain: bool = False) -> None:
        super().__init__(f"what was read has changed at {ts}")
        self.ts = ts
        self.uncertain = uncertain


@dataclass(slots=True, eq=False)
class Submission:
    """A mutation that waits for its commit.

    Attributes:
        snapshot: The timestamp it read at.
        ids: The ids that it made.
        floor: How far the database had come when it was asked for, if anybody has looked.
        keyed: The writes with their keys.
        uncertain: The store could not say whether an attempt to commit it has succeeded.
        done: Its commit's timestamp; or Outdated, or what the store says against it.
    """

    snapshot: Ts
    reads: ReadSet
    writes: Sequence[Write]
    request: RequestRecord | None
    ids: RunIds | None = None
    floor: Floor | None = None
    keyed: KeyedCommit = field(default_factory=lambda: KeyedCommit(0, ()))
    uncertain: bool = False
    done: asyncio.Future[Ts] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Committer:
    """Commits submissions in batches; one runs for each hub.

    Args:
        patience: Seconds for which a batch is resubmitted while the database conflicts or cannot be reached.

    Attributes:
        backlog: How many mutations wait for their commit.
        counters: ``committed`` mutations in ``transactions``; ``conflicts``, for which a batch was resubmitted; and
            ``outdated`` mutations, which were run again because what they had read had changed.
    """

    def __init__(self, store: Store, log: Log, *, most: int = 256, patience: float = 10.0) -> None:
        self._store = store
        self._log = log
        self._most = most
        self._patience = patience
        self._waiting: deque[Submission] = deque()
        self._waiting_large: deque[Submission] = deque()
        self._large_is_next = False
        self._wake = asyncio.Event()
        self.backlog = 0
        self.counters: Counter[str] = Counter()
        self._unseen: deque[KeyedCommit] = deque()  # our own commits that the log has not delivered yet
        self._clock: Reading = 0
        self._heard_at = -_LATELY
        self._failed: tuple[str, float] | None = None
        self._own: dict[int, None] = {}  # the numbers of our own transactions, the newest last

    @property
    def hears_of_others(self) -> bool:
        """Whether other hubs make ids lately: then it pays to know how far the database had come when a mutation began."""
        return time.monotonic() - self._heard_at < _LATELY

    @property
    def fault(self) -> str | None:
        """Why commits have failed lately; None: they have not."""
        if self._failed is None or time.monotonic() - self._failed[1] > FAULT_SECONDS:
            return None
        return self._failed[0]

    async def submit(self, submission: Submission) -> Ts:
        """Commit a mutation and tell its timestamp.

        Raises:
            Outdated: What it read has changed.
            StoreError: As the store says: UniqueViolation, DuplicateRequest, StoreUnavailable, or a document it refuses.
        """
        self.backlog += 1
        try:
            submission.keyed = await KeyedCommit.gathered(0, submission.writes)
            large = len(submission.writes) > _LARGE
            (self._waiting_large if large else self._waiting).append(submission)
            self._wake.set()
            return await submission.done
        finally:
            self.backlog -= 1

    async def run(self) -> None:
        """Commit what is submitted until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._next_batch():
                try:
                    await self._commit(batch)
                except BaseException as error:
                    _fail(batch, error)
                    self._wake.set()  # others may wait beyond this batch
                    raise

    def _next_batch(self) -> list[Submission]:
        """Take who is committed next: many small mutations together, or one large one alone, in turns if both wait."""
        if self._waiting_large and (self._large_is_next or not self._waiting):
            self._large_is_next = False
            return [self._waiting_large.popleft()]
        self._large_is_next = True
        return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]

    async def _commit(self, batch: list[Submission]) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            valid, later, together = self._validate(batch)
            if not valid:
                return
            try:
                batch_fence = self._log.fence + len(self._unseen)
                ts = await self._store.commit(self._as_batch(valid, batch_fence))
            except StoreError as error:
                if isinstance(error, StoreUnavailable):
                    self._failed = str(error), time.monotonic()
                if not error.passing:
                    await self._find_culprit(valid, later, error)
                    return
                self.counters["conflicts"] += 1
                for submission in valid:
                    submission.uncertain = submission.uncertain or not isinstance(error, Conflict)
                batch = valid + later
                if asyncio.get_running_loop().time() > deadline:
                    _fail(batch, StoreUnavailable(f"the database refused the commit for too long: {error}"))
                    return
                await self._catch_up()
            else:
                self._remember_own(batch_fence + 1)
                self._committed(valid, later, together, ts)
                return

    def _validate(self, batch: list[Submission]) -> tuple[list[Submission], list[Submission], KeyedCommit]:
        """Give those whose reads still hold, those whose reads the former ones change, and what the former write; others are
        to run again now."""
        while self._unseen and self._unseen[0].ts <= self._log.head:
            self._unseen.popleft()
        together = KeyedCommit(0, ())
        valid, later = [], []
        for submission in batch:
            if submission.done.done():
                continue
            if (changed := self._changed_at(submission)) is not None:
                self.counters["outdated"] += 1
                submission.done.set_exception(Outdated(changed, uncertain=submission.uncertain))
            elif submission.reads.overlaps(together):
                later.append(submission)
            else:
                valid.append(submission)
                together.join(submission.keyed)
        return valid, later, together

    def _changed_at(self, submission: Submission) -> Ts | None:
        """Tell at which ts something that was read has changed after the snapshot; None if nothing has."""
        commits = self._log.since(submission.snapshot)
        if commits is None:
            return self._log.head
        unseen = (commit for commit in self._unseen if commit.ts > submission.snapshot)
        return next((commit.ts for commit in (*commits, *unseen) if self._overtakes(commit, submission)), None)

    def _overtakes(self, commit: KeyedCommit, submission: Submission) -> bool:
        """Tell whether a mutation has to run again because of a commit after its snapshot: it changes what was read, or is
        another hub's, which may have been acknowledged before the mutation began, and has made greater ids."""
        if submission.reads.overlaps(commit):
            return True
        first = None if submission.ids is None else submission.ids.first
        if first is None or commit.clock <= first or commit.fence in self._own:
            return False
        self._heard_at = time.monotonic()
        floor = None if submission.floor is None else submission.floor.ts
        return floor is None or commit.ts <= floor

    async def _find_culprit(self, valid: list[Submission], later: list[Submission], error: StoreError) -> None:
        """One of several made the store refuse the batch: commit them one by one, so that only that one fails."""
        if len(valid) == 1 or isinstance(error, StoreUnusable):
            _fail(valid, error)
        else:
            for submission in valid:
                await self._commit([submission])
        if later:
            await self._commit(later)

    def _committed(self, valid: list[Submission], later: list[Submission], together: KeyedCommit, ts: Ts) -> None:
        self._failed = None
        self.counters += Counter(committed=len(valid), transactions=1, outdated=len(later))
        if ts > self._log.head:
            together.ts = ts
            self._unseen.append(together)
        for submission in valid:
            if not submission.done.done():
                submission.done.set_result(ts)
        for submission in later:
            if not submission.done.done():
                submission.done.set_exception(Outdated(ts, uncertain=submission.uncertain))

    def _remember_own(self, number: int) -> None:
        self._own[number] = None
        if len(self._own) > _OWN:
            del self._own[next(iter(self._own))]

    def _as_batch(self, valid: list[Submission], fence: int) -> Batch:
        writes = [write for submission in valid for write in submission.writes]
        requests = [submission.request for submission in valid if submission.request is not None]
        made = [each.ids.last for each in valid if each.ids is not None and each.ids.last is not None]
        self._clock = max(self._clock, self._log.clock, *made)
        return Batch(writes, requests, fence, self._clock)

    async def _catch_up(self) -> None:
        """Wait for the log to bring what we do not know yet, but not for ever: not every conflict leaves a commit."""
        try:
            async with asyncio.timeout(0.05):
                await self._log.wait_for_more()
        except TimeoutError:
            ts, fence = await self._newest()
            if fence != self._log.fence + len(self._unseen):
                await self._log.wait_for(ts)

    async def _newest(self) -> tuple[Ts, int]:
        try:
            return await self._store.newest()
        except StoreUnavailable:
            await asyncio.sleep(0.2)
            return self._log.head, self._log.fence


def _fail(batch: list[Submission], error: BaseException) -> None:
    cause = error if isinstance(error, Exception) else StoreUnavailable("the hub is stopping")
    for submission in batch:
        if not submission.done.done():
            unknown = submission.uncertain and isinstance(cause, StoreUnusable)
            submission.done.set_exception(
                StoreUnavailable(f"nobody can tell whether this was committed: {cause}") if unknown else cause
            )
