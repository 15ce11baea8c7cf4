"""The committer: makes what is staged durable, many mutations in one database transaction, while others go on staging.

A batch names the number of Synovia transactions that its entries have been checked against (the fence), so another hub's
commit in between makes the store refuse it. Then the log brings that commit, the stage drops what it has overtaken, and the
rest is submitted again. Nothing is acknowledged before the store or the log says that it is durable.

Store and log speak in any order. What the log has brought is known: nothing waits for an answer of the store that can only
repeat it, and nothing waits for the log to bring it once more.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

import bson

from synovia.charges import Charge, Payer, Shared, charged, payer_of
from synovia.engine.entries import Attempt, Entry, Outdated, State
from synovia.engine.log import Log
from synovia.engine.peers import Peers
from synovia.engine.resting import Resting
from synovia.engine.stage import Stage
from synovia.engine.tracing import UNTRACED, Tracer
from synovia.schema import Reading
from synovia.store.base import (
    Batch,
    Conflict,
    NothingWritten,
    PreparingStore,
    Store,
    StoreError,
    StoreUnavailable,
    StoreUnusable,
    Ts,
    Write,
    joined,
)
from synovia.tasks import end
from synovia.transaction.document_cache import DocumentCache
from synovia.transaction.keyed import Point

logger = logging.getLogger("synovia")

FAULT_SECONDS = 30.0
"""So long a commit that failed counts as a fault, if none has succeeded since."""
_CATCH_UP_SECONDS = 0.05
_AWAY_SECONDS = 0.2
_MOST_IN_VAIN = 64
"""A batch that conflicts so often one after the other is committed one by one, whatever the log brings meanwhile."""
_MOST_UNANSWERED = 8
"""So many commits that the log has brought may wait for the store's answer, which takes up a connection each."""


class Committer:
    """Commits what is staged; one runs for each hub.

    Args:
        most: How many mutations are committed together.
        patience: Seconds for which a batch is submitted again while the database cannot be reached.

    Attributes:
        counters: ``committed`` mutations in ``transactions``; ``conflicts``, for which a batch was submitted again;
            ``unexplained`` ones, of which the log has brought no reason.
    """

    def __init__(
        self, store: Store, log: Log, stage: Stage, cache: DocumentCache, peers: Peers, *, most: int = 256,
        patience: float = 10.0, tracer: Tracer = UNTRACED,
    ) -> None:  # fmt: skip
        self._tracer = tracer
        self._store = store
        self._log = log
        self._stage = stage
        self._cache = cache
        self._peers = peers
        self._most = most
        self._patience = patience
        self._singly = 0  # so many entries are committed one by one, to find the one that the store refuses
        self._in_vain = 0  # so many conflicts there have been since the last commit
        self._answers: set[asyncio.Task[Ts]] = set()
        self._preparing: set[asyncio.Task[None]] = set()
        if isinstance(store, PreparingStore):
            stage.on_large = functools.partial(self._begin_to_prepare, store, asyncio.Lock())
        self._away_since: float | None = None
        self._failed: tuple[str, float] | None = None
        self._clock: Reading = 0
        self._resting = Resting()
        self.counters: Counter[str] = Counter()

    @property
    def backlog(self) -> int:
        """Tell how many mutations wait for their commit."""
        return len(self._stage)

    @property
    def fault(self) -> str | None:
        """Why commits have failed lately; None: they have not."""
        if self._failed is None:
            return None
        text, at = self._failed
        return None if self._stage.settled_at > at or time.monotonic() - at > FAULT_SECONDS else text

    async def run(self) -> None:
        """Commit what is staged until cancelled."""
        try:
            while True:
                await self._stage.work()
                await self._commit()
        except BaseException:
            self._stage.fail_all(StoreUnavailable("the hub is stopping"))
            raise
        finally:
            await end(self._answers | self._preparing)

    def _begin_to_prepare(self, store: PreparingStore, one_at_a_time: asyncio.Lock, entry: Entry) -> None:
        entry.is_preparing = True
        task = asyncio.create_task(self._prepare(store, one_at_a_time, entry), name="prepare a commit")
        self._preparing.add(task)
        task.add_done_callback(self._preparing.discard)

    async def _prepare(self, store: PreparingStore, one_at_a_time: asyncio.Lock, entry: Entry) -> None:
        """Have the store make a large entry ready; others go first until then."""
        try:
            async with one_at_a_time:
                if entry.state is State.STAGED:
                    prepared = entry.prepared = await store.prepare(entry.submission.writes)
                    entry.done.add_done_callback(lambda _: prepared.discard())
        except StoreError as error:
            logger.debug("a large commit cannot be prepared: %s", error)  # the commit itself will tell
        finally:
            entry.is_preparing = False
            self._stage.look_again()

    async def _commit(self) -> None:
        attempt = self._stage.begin(1 if self._singly else self._most, self._peers.mark)
        if attempt is None:
            return
        try:
            began, payers = time.monotonic(), {payer_of(entry.charge) for entry in attempt.entries}
            ts = await self._durable(attempt)
            self._rest_after(attempt, began, payers)
        except Conflict as error:
            await self._conflicted(attempt, error)
        except StoreError as error:
            if isinstance(error, StoreUnavailable) and not attempt.is_settled:
                self._failed = str(error), time.monotonic()
            if error.passing:
                await self._out_of_reach(attempt, error)
            else:
                self._refused(attempt, error)
        else:
            self._committed(attempt, ts)

    def _rest_after(self, attempt: Attempt, began: float, payers: set[Payer | None]) -> None:
        """Let large entries rest after one."""
        if not attempt.entries[0].is_large:
            self._resting.note_small(payers, time.monotonic())
        elif (seconds := self._resting.after_large(payers, began, time.monotonic())) > 0:
            self._stage.let_large_rest(seconds)

    async def _durable(self, attempt: Attempt) -> Ts | None:
        """Have the store commit an attempt; None: the log has brought it first, and the store's answer may come or not.

        Raises:
            StoreError: As ``Store.commit``.
        """
        answer = asyncio.create_task(self._commit_batch(attempt, self._as_batch(attempt)), name="commit")
        self._answers.add(answer)
        answer.add_done_callback(functools.partial(self._answered, attempt))
        await attempt.heard
        if answer.done():
            return answer.result()
        while len(self._answers) > _MOST_UNANSWERED:
            await asyncio.wait(self._answers, return_when=asyncio.FIRST_COMPLETED)
        return None

    async def _commit_batch(self, attempt: Attempt, batch: Batch) -> Ts:
        calls = [entry.trace for entry in attempt.entries if entry.trace is not None]
        with self._tracer.batch(calls, mutations=len(attempt.entries)), charged(_charge_of(attempt.entries)):
            return await self._store.commit(batch)

    def _answered(self, attempt: Attempt, answer: asyncio.Task[Ts]) -> None:
        self._answers.discard(answer)
        attempt.hear()
        if not answer.cancelled() and (error := answer.exception()) is not None:
            logger.debug("the store answers a commit with %s: %s", type(error).__name__, error)

    def _committed(self, attempt: Attempt, ts: Ts | None) -> None:
        self._away_since = None
        self._in_vain = 0
        self._singly = max(0, self._singly - 1)
        self.counters["committed"] += len(attempt.entries)
        self.counters["transactions"] += 1
        if ts is not None:
            self._stage.acknowledge(attempt, ts)

    async def _conflicted(self, attempt: Attempt, error: Conflict) -> None:
        """Learn what has made the store refuse a batch; the stage drops what that has overtaken.

        A batch may be refused for nothing that the log brings: then its entries are tried one by one, and one that is
        refused alone has to be run again, since the database holds something else than it has read.
        """
        self._away_since = None
        self._in_vain += 1
        self.counters["conflicts"] += 1
        left = self._stage.put_back(attempt)
        if await self._is_known(lambda: attempt.is_overtaken(self._stage.fence)) and self._in_vain < _MOST_IN_VAIN:
            return
        self._in_vain = 0
        if len(attempt.entries) > 1:
            self._singly = len(attempt.entries)
            return
        self.counters["unexplained"] += 1
        self._singly = max(0, self._singly - 1)
        self._cache.forget(point for entry in left for point in entry.commit.points)
        self._stage.drop(left, lambda entry: Outdated(uncertain=entry.uncertain, unexplained=error))

    async def _out_of_reach(self, attempt: Attempt, error: StoreError) -> None:
        """Try again what may have been committed; the log tells if it was, unless the store knows that it was not."""
        now = time.monotonic()
        if self._away_since is None or self._stage.settled_at > self._away_since:
            self._away_since = now
        self.counters["conflicts"] += 1
        left = self._stage.put_back(attempt, uncertain=not isinstance(error, NothingWritten))
        if now - self._away_since > self._patience:
            self._stage.drop(left, lambda entry: _given_up(entry, error))
        await self._is_known(lambda: attempt.is_settled or attempt.is_overtaken(self._stage.fence))

    def _refused(self, attempt: Attempt, error: StoreError) -> None:
        """Give up the entry that the store refuses; of several it is found by committing them one by one."""
        self._away_since = None
        left = self._stage.put_back(attempt)
        if len(attempt.entries) > 1 and not isinstance(error, StoreUnusable):
            self._singly = len(attempt.entries)
        else:
            self._singly = max(0, self._singly - 1)
            self._stage.drop(left, lambda entry: _refusal(entry, error))

    def _as_batch(self, attempt: Attempt) -> Batch:
        submissions = [entry.submission for entry in attempt.entries]
        requests = [each.request for each in submissions if each.request is not None]
        made = [each.ids.last for each in submissions if each.ids is not None and each.ids.last is not None]
        self._clock = max(self._clock, self._log.clock, *made)
        prepared = attempt.entries[0].prepared if len(attempt.entries) == 1 else None
        return Batch(merged(attempt.entries), requests, attempt.fence, self._clock, attempt.token, prepared)

    async def _is_known(self, known: Callable[[], bool]) -> bool:
        """Wait until the log makes something known, if it has not yet, but not for ever: not every conflict leaves a
        commit."""
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                while not known():
                    await self._log.wait_for_more()
        except TimeoutError:
            try:
                _, fence = await self._store.newest()
            except StoreUnavailable:
                await asyncio.sleep(_AWAY_SECONDS)
            else:
                await self._log.wait_for_fence(fence)
        return known()


def _charge_of(entries: Sequence[Entry]) -> Charge:
    """Give what a commit is charged to: those whose entries are in it, by how much each writes."""
    weights = [1 + len(entry.submission.writes) + entry.submission.entries for entry in entries]
    charges = [(entry.charge, weight) for entry, weight in zip(entries, weights, strict=True) if entry.charge]
    return Shared([(charge, weight) for charge, weight in charges if charge is not None], sum(weights))


def _refusal(entry: Entry, error: StoreError) -> StoreError:
    """Tell what is said to a mutation that the store refuses, which may have been committed by an earlier attempt."""
    if entry.uncertain and isinstance(error, StoreUnusable):
        return StoreUnavailable(f"nobody can tell whether this was committed: {error}")
    return error


def _given_up(entry: Entry, error: StoreError) -> StoreError:
    """Tell what is said to a mutation that could not be committed for too long."""
    kind = type(error) if isinstance(error, NothingWritten) and not entry.uncertain else StoreUnavailable
    return kind(f"the database refused the commit for too long: {error}")


def merged(entries: Sequence[Entry]) -> list[Write]:
    """Give what entries write together: of each document what it was before them, and what it is after them."""
    if len(entries) == 1:
        return list(entries[0].submission.writes)
    together: dict[Point, Write] = {}
    again: set[Point] = set()
    for point, keyed in ((point, keyed) for entry in entries for point, keyed in entry.submission.keyed.points.items()):
        write, earlier = keyed.write, together.get(point)
        if earlier is None:
            together[point] = write
        else:
            bodies = joined(earlier.bodies, write.bodies)
            together[point] = Write(write.table, write.id, earlier.before, write.after, bodies, point[1])
            again.add(point)
    return [write for point, write in together.items() if point not in again or _changes(write)]


def _changes(write: Write) -> bool:
    """Tell whether a document is different after several writes; there is no event of one that is not."""
    if write.before is None or write.after is None:
        return write.before is not write.after
    return bson.encode(write.before) != bson.encode(write.after)
