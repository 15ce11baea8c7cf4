"""The engine: functions, live queries and the committer over one store; it knows no database and no socket."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from synovia.application import Registry
from synovia.engine import keys
from synovia.engine.committer import Committer, Outdated, Submission
from synovia.engine.executor import Arguments, Clock, Executor, MutationRun, Run
from synovia.engine.live import LiveQuery, Subscriber
from synovia.engine.log import Log
from synovia.engine.outcomes import Outcome, from_record, outcome_of, to_record, unavailable
from synovia.engine.queries import LiveQueries
from synovia.engine.readset import ReadSet
from synovia.errors import Forbidden, FunctionError
from synovia.functions import Function, Isolation, Kind, function_for_work
from synovia.identity import Identity
from synovia.services import Services, Work
from synovia.store.base import (
    ArrayMissing,
    DuplicateRequest,
    RequestRecord,
    SnapshotTooOld,
    Store,
    StoreError,
    StoreUnavailable,
    Ts,
    UniqueViolation,
)
from synovia.store.sweep import Swept, sweep
from synovia.tasks import end, keep_running
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

MOST_RUNS = 100


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """How the engine is.

    Attributes:
        log_age: Seconds since the log last brought anything. A database that nobody writes to is silent.
        gaps: How often the log's position was lost and everything recomputed; ``last_gap`` is when, in seconds since 1970.
        backlog: Mutations that wait for their commit.
    """

    log_alive: bool
    head: Ts
    live_queries: int
    log_age: float
    gaps: int
    last_gap: float | None
    backlog: int


@dataclass(frozen=True, slots=True)
class _Request:
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
    trusted: bool = False

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


class Engine:
    """Runs an application over a store.

    Args:
        debug: Whether clients may see the text of exceptions.
        clock: Tells the time in seconds since 1970; tests move it.
        linger: Seconds for which a live query without subscribers is kept.
        services: What functions may use beyond the database.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        debug: bool = False,
        clock: Clock = time.time,
        linger: float = 30.0,
        services: Services | None = None,
    ) -> None:
        self._retry_window = retry_window(store.request_ttl)
        self.store = store
        self.registry = registry
        self._executor = Executor(store, registry, debug=debug, clock=clock, services=services)
        self._log = Log(store, self._on_change)
        self.live = LiveQueries(self._executor, self._log, linger=linger)
        self.committer = Committer(store, self._log)
        self._tasks: list[asyncio.Task[None]] = []
        self._log_alive = False
        self.swept = Swept()

    def _on_change(self, change: Any) -> None:
        self.live.on_change(change)

    async def start(self) -> None:
        """Begin to follow the log; the store is open already."""
        await self._log.start()
        self._log_alive = True
        self._tasks = [
            keep_running(self._follow, "log"),
            keep_running(self.committer.run, "committer"),
        ]

    async def stop(self) -> None:
        """Stop every task; the store stays open."""
        await end(self._tasks)
        await self.live.stop()
        self._log_alive = False

    async def _follow(self) -> None:
        self._log_alive = True
        try:
            await self._log.follow()
        finally:
            self._log_alive = False

    @property
    def head(self) -> Ts:
        """The newest timestamp that the log has delivered; every live query is judged by it."""
        return self._log.head

    def health(self) -> EngineHealth:
        """Tell how the engine is."""
        log, age = self._log, time.monotonic() - self._log.advanced_at
        return EngineHealth(
            self._log_alive, self.head, len(self.live), age, log.gaps, log.last_gap,
            self.committer.backlog,
        )  # fmt: skip

    async def wait_for(self, ts: Ts) -> None:
        """Wait until the head is at ``ts`` or beyond."""
        await self._log.wait_for(ts)

    def subscribe(
        self,
        subscriber: Subscriber,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        journal: bytes | None = None,
    ) -> LiveQuery:
        """Join a live query; see ``LiveQueries.subscribe``."""
        return self.live.subscribe(subscriber, path, args, identity, journal)

    def unsubscribe(self, subscriber: Subscriber, live: LiveQuery) -> None:
        """Leave a live query once."""
        self.live.unsubscribe(subscriber, live)

    def look_back(self, live: LiveQuery, ts: Ts) -> bool:
        """Begin to find a result as of an earlier instant; see ``LiveQueries.look_back``."""
        return self.live.look_back(live, ts)

    def watch(self, subscriber: Subscriber, function: Function) -> LiveQuery:
        """Join the live query of a function of the server's own, which takes no arguments."""
        return self.live.watch(subscriber, function)

    async def ask(self, function: Function) -> Outcome:
        """Run a query of the server's own once at the head."""
        ts = self.head
        try:
            return outcome_of(await self._executor.query(function, {}, None, ts), ts)
        except StoreError as error:
            return unavailable(error)

    async def query(
        self,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        *,
        internal: bool = False,
        trusted: bool = False,
    ) -> Outcome:
        """Run a query once at the head.

        Args:
            internal: Internal functions too.
            trusted: The application itself is calling: internal functions too, and access is not checked.
        """
        try:
            function, values = self._executor.prepare(path, Kind.QUERY, args, internal=internal or trusted)
            ts = self.head
            run = await self._executor.query(function, values, identity, ts, trusted=trusted)
        except FunctionError as error:
            return Outcome(error=error.info)
        except StoreError as error:
            return unavailable(error)
        return outcome_of(run, ts)

    async def mutate(
        self,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        *,
        session: bytes | None = None,
        number: int | None = None,
        retry: bool = False,
        issued_at: int | None = None,
        mark: bytes = b"",
        internal: bool = False,
        trusted: bool = False,
    ) -> Outcome:
        """Run a mutation and commit it; errors are part of the outcome.

        Args:
            session: With ``number`` it names the request: however often it comes, it is committed once.
            retry: It may have been committed already; look first.
            issued_at: When it was first asked for, in milliseconds since 1970; a retry that is too old is refused.
            mark: Kept with the record, always of one length in one session; a request of another mark fails with
                ``request_reused``.
            internal: Internal functions too.
            trusted: The application itself is calling: internal functions too, and access is not checked.
        """
        try:
            _refuse_onlooker(identity)
            if session is None or number is None:
                # Nobody can ask again, but the committer can: a lost acknowledgement must not commit twice either.
                session, number, retry = secrets.token_bytes(16), 0, False
            if retry:
                earlier = await self._earlier(session, number, mark)
                if earlier is not None:
                    return earlier
                self._check_age(issued_at)
            function, values = self._executor.prepare(path, Kind.MUTATION, args, internal=internal or trusted)
            seed, now = secrets.token_bytes(16), self._executor.now()
            return await self._mutate(
                _Request(function, values, identity, session, number, retry, seed, now, mark, trusted)
            )
        except FunctionError as error:
            return Outcome(error=error.info)
        except StoreError as error:
            # What the store refuses for good was never committed; anything else may have been.
            return unavailable(error, unknown=isinstance(error, StoreUnavailable | SnapshotTooOld))

    async def transact(
        self, work: Work, *, path: str = "_server:transact", isolation: Isolation = "serializable"
    ) -> Outcome:
        """Do some work of the server's own as a mutation, as nobody; when this returns, queries see it.

        Args:
            path: What errors and the log call it.
        """
        function = function_for_work(path, isolation)
        session, seed, now = secrets.token_bytes(16), secrets.token_bytes(16), self._executor.now()
        try:
            outcome = await self._mutate(
                _Request(function, {"work": work}, None, session, 0, False, seed, now, trusted=True)
            )
        except StoreError as error:
            return unavailable(error, unknown=isinstance(error, StoreUnavailable | SnapshotTooOld))
        await self.wait_for(outcome.ts or 0)
        return outcome

    def _check_age(self, issued_at: int | None) -> None:
        """Refuse a retry whose record may have been forgotten: nobody can tell any more whether it has been committed."""
        if issued_at is not None and self._executor.now() - issued_at > self._retry_window * 1000:
            text = "this request is too old to be retried: whether it has been committed is not known any more"
            raise FunctionError(ErrorCode.REQUEST_EXPIRED, text)

    async def _mutate(self, request: _Request) -> Outcome:
        refusal: ErrorInfo | None = None
        for _ in range(MOST_RUNS):
            ts = self.head
            with self._log.pinned(ts):
                run = await self._executor.mutation(
                    request.function, request.args, request.identity, ts, seed=request.seed, now=request.now,
                    trusted=request.trusted,
                )  # fmt: skip
                run.error = run.error or refusal
                if run.error is not None and not request.retry:
                    return Outcome(error=run.error)
                try:
                    return outcome_of(run, await self._commit(request, run, ts))
                except Outdated as outdated:
                    newer = outdated.ts
                    request = replace(request, retry=request.retry or outdated.uncertain)
                except DuplicateRequest as duplicate:
                    earlier = await self._earlier(duplicate.session, duplicate.number, request.mark)
                    return earlier or unavailable(duplicate, unknown=True)
                except UniqueViolation as error:
                    if not request.retry:
                        return Outcome(error=ErrorInfo(ErrorCode.UNIQUE_VIOLATION, str(error), {"index": error.index}))
                    newer, _ = await self.store.newest()  # the rerun sees whose key it is, and its failure is recorded
                except ArrayMissing as error:
                    refusal = ErrorInfo(ErrorCode.ARRAY_NOT_FOUND, str(error), {"digest": error.digest})
                    newer = ts
            await self.wait_for(newer)
        error_info = ErrorInfo(ErrorCode.OVERLOADED, f"{request.function.path}: too many conflicts, try again later")
        return Outcome(error=error_info, unknown=request.retry)

    async def _commit(self, request: _Request, run: MutationRun, ts: Ts) -> Ts:
        writes = run.transaction.writes if run.transaction and run.error is None else []
        reads = run.reads
        if request.function.isolation == "snapshot":
            reads = ReadSet({(write.table, keys.encode_value(write.id)) for write in writes})
        return await self.committer.submit(Submission(ts, reads, writes, request.record(run)))

    async def _earlier(self, session: bytes, number: int, mark: bytes) -> Outcome | None:
        """Give the outcome of a request that has been committed before, at the latest instant it can have been."""
        record = await self.store.find_request(session, number)
        if record is None:
            return None
        if not record.result.startswith(mark):
            raise RequestReused
        ts, _ = await self.store.newest()
        return from_record(record.result[len(mark) :], ts)

    async def sweep_arrays(self, grace: float) -> Swept:
        """Delete the arrays that no document refers to and that were not used for ``grace`` seconds.

        Raises:
            StoreError: The database failed on the way; another sweep goes on.
        """
        began = time.monotonic()
        swept = await sweep(self.store, self._executor.now() / 1000 - grace)
        self.swept += swept
        seconds = time.monotonic() - began
        logger.info("swept %d arrays, %d chunks, %d bytes in %.1f s", swept.arrays, swept.chunks, swept.bytes, seconds)
        return swept

    async def act(
        self,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        *,
        internal: bool = False,
        trusted: bool = False,
    ) -> Outcome:
        """Run an action; what it calls is called by its own caller, internal functions too.

        Args:
            internal: Internal functions too.
            trusted: The application itself is calling: internal functions too, and access is not checked.
        """
        try:
            function, values = self._executor.prepare(path, Kind.ACTION, args, internal=internal or trusted)
        except FunctionError as error:
            return Outcome(error=error.info)
        return await self.perform(function, values, identity, trusted=trusted)

    async def perform(
        self, function: Function, values: Arguments, identity: Identity | None, *, trusted: bool = False
    ) -> Outcome:
        """Run an action that is at hand, or a route, with what its body takes."""

        async def run_query(path: str, args: Mapping[str, Any]) -> Any:
            return (await self.query(path, args, identity, internal=True, trusted=trusted)).value()

        async def run_mutation(path: str, args: Mapping[str, Any]) -> Any:
            outcome = await self.mutate(path, args, identity, internal=True, trusted=trusted)
            await self.wait_for(outcome.ts or 0)
            return outcome.value()

        try:
            _refuse_onlooker(identity)
            run = await self._executor.action(
                function, values, identity, run_query, run_mutation, self.transact, lambda: self.head, trusted=trusted
            )
        except FunctionError as error:
            return Outcome(error=error.info)
        except StoreError as error:
            return unavailable(error)
        return outcome_of(run, None)


def _refuse_onlooker(identity: Identity | None) -> None:
    """Refuse to do anything for somebody who only looks at the application as another user."""
    if identity is not None and identity.actor is not None:
        raise Forbidden("who looks at the application as another user changes nothing")
