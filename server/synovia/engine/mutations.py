"""Mutations as they are asked for: run until they commit, and told apart from those that have been committed before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from synovia import keys
from synovia.engine.committer import Committer, Outdated, Submission
from synovia.engine.executor import Arguments, Executor, MutationRun, Run
from synovia.engine.freshness import Floor, Freshness
from synovia.engine.log import Log
from synovia.engine.outcomes import Outcome, from_record, outcome_of, to_record, unavailable
from synovia.errors import FunctionError
from synovia.functions.access import CallOrigin
from synovia.functions.function import Function
from synovia.identity import Identity
from synovia.store.base import ArrayMissing, DuplicateRequest, RequestRecord, Store, Ts, UniqueViolation
from synovia.transaction.readset import ReadSet
from synovia_protocol.errors import ErrorCode, ErrorInfo

MOST_RUNS = 100


@dataclass(frozen=True, slots=True)
class Request:
    """A mutation as it was asked for, the same through all its runs."""

    function: Function
    args: Arguments
    identity: Identity | None
    session: bytes
    number: int
    retry: bool
    seed: bytes
    now: int
    mark: bytes = b""
    origin: CallOrigin = CallOrigin.CLIENT
    committing: Callable[[], None] | None = None

    def record(self, run: Run) -> RequestRecord:
        """Make the proof of what came of it. Of a retry also a failure is recorded: an earlier run of the same request may
        still be on its way to its commit, at another hub, and must not take place once the client knows of the failure."""
        return RequestRecord(self.session, self.number, self.mark + to_record(run))


class RequestReused(FunctionError):
    """Two different requests were given one name."""

    def __init__(self) -> None:
        super().__init__("request_reused", "another request has been sent under this name before")


def retry_window(request_ttl: float) -> float:
    """Tell for how many seconds a mutation may be retried, if its record is kept for ``request_ttl``.

    Less than that, so that a record is there as long as anybody asks, though clocks differ and take time to read.
    """
    return request_ttl - min(86_400, request_ttl / 4)


def _nobody_waits() -> None:
    """Take no notice: who commits looks at the floor when it is time."""


class Mutations:
    """Runs mutations over one store."""

    def __init__(self, store: Store, executor: Executor, log: Log, committer: Committer, freshness: Freshness) -> None:
        self._store = store
        self._executor = executor
        self._log = log
        self._committer = committer
        self._freshness = freshness
        self._retry_window = retry_window(store.request_ttl)

    async def run(self, request: Request) -> Outcome:
        """Run a mutation, again if what it read was overtaken, until it is committed or has failed.

        Raises:
            StoreError: The database does not answer, or refuses it.
        """
        refusal: ErrorInfo | None = None
        violated: set[str] = set()
        floor = self._freshness.floor(_nobody_waits) if self._committer.hears_of_others else None
        for _ in range(MOST_RUNS):
            ts = self._log.head
            with self._log.pinned(ts):
                run = await self._executor.mutation(
                    request.function, request.args, request.identity, ts, seed=request.seed, now=request.now,
                    origin=request.origin,
                )  # fmt: skip
                run.error = run.error or refusal
                if run.error is not None and not request.retry:
                    if await self._holds(run, ts):
                        return Outcome(error=run.error)
                    continue
                try:
                    return outcome_of(run, await self._commit(request, run, ts, floor))
                except Outdated as outdated:
                    newer = outdated.ts
                    request = replace(request, retry=request.retry or outdated.uncertain)
                except DuplicateRequest as duplicate:
                    earlier = await self.earlier(duplicate.session, duplicate.number, request.mark)
                    return earlier or unavailable(duplicate, unknown=True)
                except UniqueViolation as error:
                    taken = ErrorInfo(ErrorCode.UNIQUE_VIOLATION, str(error), {"index": error.index})
                    if not request.retry:
                        return Outcome(error=taken)
                    if error.index in violated:  # the index is another version's: no run of this one looks into it
                        refusal = taken
                    violated.add(error.index)
                    newer, _ = await self._store.newest()  # the rerun sees whose key it is, and its failure is recorded
                except ArrayMissing as error:
                    refusal = ErrorInfo(ErrorCode.ARRAY_NOT_FOUND, str(error), {"digest": error.digest})
                    newer = ts
            await self._log.wait_for(newer)
        error_info = ErrorInfo(ErrorCode.OVERLOADED, f"{request.function.path}: too many conflicts, try again later")
        return Outcome(error=error_info, unknown=request.retry)

    async def _holds(self, run: MutationRun, ts: Ts) -> bool:
        """Tell whether a failure rests on nothing older than what was acknowledged, at another hub too, before it is told.

        What is committed is validated against all that came before; a failure commits nothing.
        """
        newest = await self._freshness.catch_up()
        if newest <= ts:
            return True
        commits = self._log.since(ts)
        return commits is not None and not any(run.reads.overlaps(commit) for commit in commits)

    async def _commit(self, request: Request, run: MutationRun, ts: Ts, floor: Floor | None) -> Ts:
        writes = run.transaction.writes if run.transaction and run.error is None else []
        reads = run.reads
        if request.function.isolation == "snapshot":
            reads = ReadSet({(write.table, keys.encode_value(write.id)) for write in writes})
        if request.committing is not None:
            request.committing()
        return await self._committer.submit(Submission(ts, reads, writes, request.record(run), run.ids, floor))

    async def earlier(self, session: bytes, number: int, mark: bytes) -> Outcome | None:
        """Give the outcome of a request that has been committed before, at the latest instant it can have been."""
        record = await self._store.find_request(session, number)
        if record is None:
            return None
        if not record.result.startswith(mark):
            raise RequestReused
        ts, _ = await self._store.newest()
        return from_record(record.result[len(mark) :], ts)

    def check_age(self, issued_at: int | None) -> None:
        """Refuse a retry whose record may have been forgotten: nobody can tell any more whether it has been committed."""
        if issued_at is not None and self._executor.now() - issued_at > self._retry_window * 1000:
            text = "this request is too old to be retried: whether it has been committed is not known any more"
            raise FunctionError(ErrorCode.REQUEST_EXPIRED, text)
