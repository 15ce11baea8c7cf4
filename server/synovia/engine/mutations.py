"""Mutations as they are asked for: run until they commit, and told apart from those that have been committed before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from synovia import keys
from synovia.engine import exclusive
from synovia.engine.entries import Entry, Outdated, Submission
from synovia.engine.exclusive import Claim, Exclusive, Turn
from synovia.engine.executor import Executor
from synovia.engine.freshness import Floor, Freshness
from synovia.engine.log import Log
from synovia.engine.outcomes import Outcome, from_record, outcome_of, to_record, unavailable
from synovia.engine.peers import MutationCall, NotForwarded, Peers
from synovia.engine.records import kept, opened, unmarked
from synovia.engine.rounds import RoundLimit
from synovia.engine.runs import Arguments, MutationRun, Run
from synovia.engine.stage import Stage, View
from synovia.engine.tracing import UNTRACED, Tracer, traced_part
from synovia.errors import FunctionError
from synovia.functions.access import CallOrigin
from synovia.functions.aggregate_trees import changes_to_write
from synovia.functions.context import Seed
from synovia.functions.function import Function
from synovia.identity import Identity
from synovia.schema import TableSpec
from synovia.sealing.keyring import Keyring
from synovia.store.base import (
    ArrayMissing,
    DuplicateRequest,
    NothingWritten,
    RequestRecord,
    Store,
    StoreUnavailable,
    UniqueViolation,
)
from synovia.transaction.as_stored import as_stored
from synovia.transaction.keyed import FEW, KeyedCommit
from synovia.transaction.readset import ReadSet
from synovia.turns import short
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

FEW_RUNS: Final = 3
"""A mutation that was overtaken here so often keeps everybody else from being staged while it runs again."""
_BEGUN_A_ROUND: Final = 8
"""Of those that are ready at once so many begin in a round of the loop: commits are noticed between them (``rounds``)."""
MOST_RUNS: Final = 100
MOST_SECONDS: Final = 10.0
"""A mutation that has been run so often for so long although nobody else could be staged fails: it is the database."""


@dataclass(slots=True)  # frozen ones take five times as long to make, and there are many for each mutation
class Request:
    """A mutation as it was asked for, the same through all its runs.

    Attributes:
        is_asked_for_again: Whether whoever has asked for it may do so once more, and has to be told the same then.
    """

    function: Function
    args: Arguments
    identity: Identity | None
    session: bytes
    number: int
    retry: bool
    seed: Seed
    now: int
    mark: bytes = b""
    origin: CallOrigin = CallOrigin.CLIENT
    committing: Callable[[], None] | None = None
    call: MutationCall | None = None  # for another hub; None: it is run here
    is_asked_for_again: bool = True

    def record(self, run: Run, keyring: Keyring | None) -> RequestRecord:
        """Make the proof of what came of it. Of a retry also a failure is recorded: an earlier run of the same request may
        still be on its way to its commit, at another hub, and must not take place once the client knows of the failure."""
        result = self.mark + to_record(run)
        if keyring is not None:
            result = kept(result, self.session, self.number, keyring)
        return RequestRecord(self.session, self.number, result)


class RequestReused(FunctionError):
    """Two different requests, or those of two callers, were given one name."""

    def __init__(self) -> None:
        super().__init__("request_reused", "another request has been sent under this name before")


def retry_window(request_ttl: float) -> float:
    """Tell for how many seconds a mutation may be retried, if its record is kept for ``request_ttl``.

    Less than that, so that a record is there as long as anybody asks, though clocks differ and take time to read.
    """
    return request_ttl - min(86_400, request_ttl / 4)


def _nobody_waits() -> None:
    """Take no notice: who commits looks at the floor when it is time."""


@dataclass(slots=True)
class _Progress:
    """How far a mutation has come in all its runs.

    Attributes:
        refusal: Why it has to fail, whatever it says itself.
        violated: The unique indexes that have refused it.
        claim: What its runs have read.
        runs: How often it has been run.
        elsewhere: How often of these it was overtaken by another hub, which nobody here can keep from that.
        unexplained: How often the store has refused it, though it had read what the log says is there.
        began: When it was overtaken first, by the monotonic clock.
    """

    request: Request
    floor: Floor | None
    refusal: ErrorInfo | None = None
    violated: set[str] = field(default_factory=set)
    claim: Claim = field(default_factory=Claim)
    runs: int = 0
    elsewhere: int = 0
    unexplained: int = 0
    began: float = 0.0

    @property
    def seconds_alone(self) -> float:
        """How long it may keep others from being staged: longer each time."""
        return min(exclusive.MOST_SECONDS, exclusive.SECONDS * (1 << min(self.runs - 1, 10)))

    @property
    def is_hopeless(self) -> bool:
        """Whether there is no point in running it again: the database is wedged."""
        return self.runs >= MOST_RUNS and time.monotonic() - self.began > MOST_SECONDS

    def run_again(self) -> None:
        """Count a run that was in vain."""
        if not self.runs:
            self.began = time.monotonic()
        self.runs += 1
        self.claim.everything = self.runs - self.elsewhere >= FEW_RUNS

    def notice(self, unexplained: Exception) -> None:
        """Take notice of a conflict for which there is no reason. Once, it may be with something that another program
        has begun and not committed, or that the log is about to bring; twice, after it has read everything anew, the
        database gives documents to readers otherwise than it holds them."""
        self.unexplained += 1
        if self.unexplained == 2:
            path = self.request.function.path
            logger.warning("%s conflicts again with nothing that the log has brought: %s", path, unexplained)


class Mutations:
    """Runs mutations over one store."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        log: Log,
        stage: Stage,
        freshness: Freshness,
        peers: Peers,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._tracer = tracer
        self._store = store
        self._executor = executor
        self._aggregated = executor.registry.aggregated
        self._log = log
        self._stage = stage
        self._freshness = freshness
        self._peers = peers
        self._exclusive = Exclusive()
        self._round_limit = RoundLimit(_BEGUN_A_ROUND)
        self._retry_window = retry_window(store.request_ttl)

    async def run(self, request: Request) -> Outcome:
        """Run a mutation, again if what it read was overtaken, until it is committed or has failed.

        Raises:
            StoreError: The database does not answer, or refuses it.
        """
        floor = self._freshness.floor(_nobody_waits) if self._stage.hears_of_others else None
        progress = _Progress(request, floor)
        with short():
            while not (progress.runs and progress.is_hopeless):
                try:
                    outcome = None
                    if request.call is not None and self._peers.leads(request.function.path):
                        outcome = await self._run_elsewhere(progress, request.call)
                    if outcome is None:
                        # Nothing but the outcome and the entry is kept while it waits for its commit.
                        outcome, entry = await self._run_once(progress)
                        if entry is not None:
                            outcome = await self._committed(progress, outcome, entry)
                except Outdated as outdated:
                    self._take_notice(progress, outdated)
                else:
                    if outcome is not None:
                        return outcome
                progress.run_again()
        error = ErrorInfo(ErrorCode.OVERLOADED, f"{request.function.path}: the database cannot commit, try again later")
        return Outcome(error=error, unknown=progress.request.retry)

    def _take_notice(self, progress: _Progress, outdated: Outdated) -> None:
        """Take notice of why a mutation was overtaken."""
        retry = progress.request.retry or outdated.uncertain
        progress.request = replace(progress.request, retry=retry)
        if outdated.elsewhere:
            progress.elsewhere += 1
            self._peers.overtaken(progress.request.function.path)
        if outdated.unexplained is not None:
            progress.notice(outdated.unexplained)

    async def _run_elsewhere(self, progress: _Progress, call: MutationCall) -> Outcome | None:
        """Have another hub run what several hubs overtake each other with; None: it has to be run here.

        What that hub has committed is part of the head when this returns. If it has not answered it may have the mutation
        all the same: then this is a retry, whose record decides.
        """
        request = progress.request
        if request.committing is not None:
            request.committing()
        try:
            outcome = await self._peers.forward(replace(call, retry=request.retry))
        except NotForwarded as error:
            progress.request = replace(request, retry=request.retry or error.sent)
            return None
        await self._log.wait_for(outcome.ts or 0)
        return outcome

    async def _run_once(self, progress: _Progress) -> tuple[Outcome | None, Entry | None]:
        """Run a mutation and tell what comes of it once the entry is committed, if there is one; nothing: run it again.

        Raises:
            Outdated: What it read has been overtaken.
            StoreError: The database does not answer, or refuses it.
        """
        views: list[View] = []
        try:
            if progress.runs == 0:
                if not self._round_limit.try_begin():
                    await self._round_limit.wait()
                run = await self._look(progress, views)
                entry = await self._stage_run(progress, run, views[0])
            else:
                async with self._exclusive.alone(progress.claim, progress.seconds_alone) as turn:
                    run = await self._look(progress, views)
                    entry = await self._stage_run(progress, run, views[0], turn)
            if entry is None and not await self._holds(run, views[0]):
                return None, None
            return outcome_of(run), entry
        finally:
            for view in views:
                view.close()

    async def _look(self, progress: _Progress, views: list[View]) -> MutationRun:
        """Run the function on a view of the newest state there is, which is added to ``views``."""
        await self._stage.ready()
        view, request = self._stage.view(), progress.request
        views.append(view)
        try:
            running = self._executor.mutation(
                request.function, request.args, request.identity, view.snapshot, seed=request.seed, now=request.now,
                origin=request.origin,
            )  # fmt: skip
            run = await traced_part(self._tracer, "synovia.run", running, attempt=progress.runs + 1)
        except StoreUnavailable as error:
            if request.retry or not error.passing:
                raise
            raise NothingWritten(str(error)) from error
        run.error = run.error or progress.refusal
        return run

    async def _stage_run(
        self, progress: _Progress, run: MutationRun, view: View, turn: Turn | None = None
    ) -> Entry | None:
        """Stage what a mutation has done; None if it has failed or done nothing, and nobody has to remember that."""
        request = progress.request
        if not request.retry and (run.error is not None or not (request.is_asked_for_again or run.has_written)):
            progress.claim.extend(run.reads, None)
            return None
        submission = await _submission(request, run, progress.floor, self._executor.keyring, self._aggregated)
        progress.claim.extend(submission.decisive, submission.keyed)
        if self._exclusive.turns:
            await self._exclusive.free(submission.keyed, turn)
        if request.committing is not None:
            request.committing()
        entry = self._stage.add(view, submission)
        if self._tracer.active:
            entry.trace = self._tracer.current()
        return entry

    async def _holds(self, run: MutationRun, view: View) -> bool:
        """Tell whether what commits nothing rests on nothing but what is durable, and on nothing older than what was
        acknowledged, at another hub too, before it is told.

        What is committed is validated against all that came before.
        """
        leaned_on = view.leaned_on(run.reads)
        if not await self._stage.until_durable(leaned_on):
            return False
        await self._freshness.catch_up()
        return self._stage.still_holds(view, run.reads, leaned_on)

    async def _committed(self, progress: _Progress, outcome: Outcome | None, entry: Entry) -> Outcome | None:
        """Wait for the commit of a run and give its outcome; None: run it again."""
        request = progress.request
        try:
            ts = await traced_part(self._tracer, "synovia.commit", entry.done)
            if outcome is not None and outcome.error is None:
                outcome.ts = ts
            return outcome
        except DuplicateRequest as duplicate:
            earlier = await self.earlier(duplicate.session, duplicate.number, request.mark)
            return earlier or unavailable(duplicate, unknown=True)
        except UniqueViolation as error:
            taken = ErrorInfo(ErrorCode.UNIQUE_VIOLATION, str(error), {"index": error.index})
            if not request.retry:
                return Outcome(error=taken, log_lines=() if outcome is None else outcome.log_lines)
            if error.index in progress.violated:  # the index is another version's: no run of this one looks into it
                progress.refusal = taken
            progress.violated.add(error.index)
            newest, _ = await self._store.newest()  # the rerun sees whose key it is, and its failure is recorded
            await self._log.wait_for(newest)
        except NothingWritten as error:
            if not request.retry:
                raise
            raise StoreUnavailable(f"nobody can tell whether an earlier attempt was committed: {error}") from error
        except ArrayMissing as error:
            progress.refusal = ErrorInfo(ErrorCode.ARRAY_NOT_FOUND, str(error), {"digest": error.digest})
        return None

    async def earlier(self, session: bytes, number: int, mark: bytes) -> Outcome | None:
        """Give the outcome of a request that has been committed before, at the latest instant it can have been."""
        record = await self._store.find_request(session, number)
        if record is None:
            return None
        result = opened(record.result, session, number, self._executor.keyring)
        outcome = unmarked(result, mark)
        if outcome is None:
            raise RequestReused
        ts, _ = await self._store.newest()
        return from_record(outcome, ts)

    def check_age(self, issued_at: int | None) -> None:
        """Refuse a retry whose record may have been forgotten: nobody can tell any more whether it has been committed."""
        if issued_at is not None and self._executor.now() - issued_at > self._retry_window * 1000:
            text = "this request is too old to be retried: whether it has been committed is not known any more"
            raise FunctionError(ErrorCode.REQUEST_EXPIRED, text)


async def _submission(
    request: Request,
    run: MutationRun,
    floor: Floor | None,
    keyring: Keyring | None,
    tables: Mapping[str, TableSpec],
) -> Submission:
    """Gather what a mutation has done.

    Args:
        tables: Those with aggregate indexes.
    """
    writes = await as_stored(run.transaction.writes if run.transaction and run.error is None else [])
    if tables and any(write.table in tables for write in writes):
        writes += await as_stored(await changes_to_write(tables, writes))
    decisive = run.reads
    if request.function.isolation == "snapshot":
        decisive = ReadSet({(write.table, keys.encode_value(write.id)) for write in writes})
    keyed = KeyedCommit(0, writes) if len(writes) <= FEW else await KeyedCommit.gathered(0, writes)
    record = request.record(run, keyring)
    return Submission(run.reads, decisive, writes, record, keyed, run.ids, floor, run.entries_changed)
