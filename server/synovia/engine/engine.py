"""The engine: functions, live queries and the committer over one store; it knows no database and no socket."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from itertools import chain
from operator import attrgetter
from typing import Any

from synovia.charges import Payer, at_cost, caused_by
from synovia.engine.actions import Actions
from synovia.engine.causes import cause_of, refuse_impersonation
from synovia.engine.committer import Committer
from synovia.engine.executor import Clock, Executor
from synovia.engine.freshness import Floor, Freshness
from synovia.engine.health import IndexHealth, LogHealth, StoreHealth
from synovia.engine.lag import Lag
from synovia.engine.live_queries import LiveQueries
from synovia.engine.live_query import LiveQuery, Subscriber
from synovia.engine.log import Log
from synovia.engine.loop_watch import LoopWatch
from synovia.engine.mutations import Mutations, Request
from synovia.engine.observing import Observer, Unobserved, observed
from synovia.engine.outcomes import Outcome, outcome_of, unavailable
from synovia.engine.peers import MutationCall, NoPeers, Peers
from synovia.engine.places import Places
from synovia.engine.records import caller_mark
from synovia.engine.runs import Arguments
from synovia.engine.settings import EngineLimits
from synovia.engine.stage import TOKEN_BYTES, Stage
from synovia.engine.tracing import UNTRACED, Tracer
from synovia.errors import FunctionError
from synovia.functions.access import CallOrigin
from synovia.functions.context import QueryContext, Seed, Work
from synovia.functions.env import Env
from synovia.functions.file_addresses import FileAddresses
from synovia.functions.function import Function, Isolation, Kind, function_for_work
from synovia.functions.registry import Registry
from synovia.functions.services import Services
from synovia.health import Health, Level, PartHealth
from synovia.identity import SERVER, Account, Identity
from synovia.keys import IndexSpec
from synovia.sealing.keyring import Keyring
from synovia.store.base import Gap, NothingWritten, Store, StoreError, Ts
from synovia.store.sweep import Swept, sweep
from synovia.tasks import end, keep_running
from synovia.transaction.keyed import KeyedCommit
from synovia.transaction.recall import Recall

logger = logging.getLogger("synovia")


class Engine:
    """Runs an application over a store.

    Args:
        debug: Whether clients may see the text of exceptions.
        clock: Tells the time in seconds since 1970; tests move it.
        linger: Seconds for which a live query without subscribers is kept.
        services: What functions may use beyond the database.
        limits: How much it may hold and run for its clients.
        observer: Is told of calls and runs.
        tracer: Makes spans of calls and what they lead to.
        peers: Other hubs on the same database that may run mutations for this one.
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
        limits: EngineLimits | None = None,
        observer: Observer | None = None,
        tracer: Tracer = UNTRACED,
        peers: Peers | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self.store = store
        self.registry = registry
        self.keyring = keyring
        self.observer = observer or Unobserved()
        self.tracer = tracer
        self._executor = Executor(
            store,
            registry,
            debug=debug,
            clock=clock,
            services=services,
            limits=limits,
            tracer=tracer,
            keyring=keyring,
        )
        self._executor.on_failure = self.observer.failed
        self.unreadable = self._executor.unreadable
        self.index_use = self._executor.index_use
        self._log = Log(store, self._on_change, self._executor.ids, indexes=self._indexes)
        self.limits = limits = limits or EngineLimits()
        self._query_timeout = limits.query_timeout
        self.places = Places(limits.max_running_queries, limits.max_running_queries_per_address)
        self.live = LiveQueries(
            self._executor,
            self._log,
            self.places,
            linger=linger,
            limits=limits,
            observer=self.observer,
            tracer=tracer,
        )
        self.stage = Stage(self._executor.reads.snapshot)
        self.peers = peers or NoPeers()
        self.committer = Committer(store, self._log, self.stage, self._executor.reads.cache, self.peers, tracer=tracer)
        self._freshness = Freshness(store, self._log)
        self._mutations = Mutations(store, self._executor, self._log, self.stage, self._freshness, self.peers, tracer)
        self._actions = Actions(
            self._executor, self.query, self.mutate, self.transact, self.wait_for, self._freshness.instant
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._log_alive = False
        self._lag = Lag()
        self._store_health = StoreHealth(store, self._lag)
        self.loop_watch = LoopWatch(Executor.calling_code())
        self.swept = Swept()
        self.hears: list[Callable[[KeyedCommit], None]] = []

    def _on_change(self, change: KeyedCommit | Gap) -> None:
        self._executor.reads.cache.on_change(change)
        self._executor.reads.vectors.on_change(change)
        self.stage.on_change(change)
        if isinstance(change, KeyedCommit) and len(change.token) > TOKEN_BYTES:
            self.peers.heard(change.token[TOKEN_BYTES:])
        if isinstance(change, KeyedCommit) and change.points:
            for hear in self.hears:
                hear(change)
        self.live.on_change(change)

    def _indexes(self, table: str) -> Iterable[IndexSpec]:
        return chain(self.live.indexes(table), self._executor.reads.cache.lookups.indexes(table))

    async def start(self) -> None:
        """Begin to follow the log; the store is open already."""
        await self._log.start()
        self.loop_watch.start()
        self.stage.start(self._log.head, self._log.fence)
        self._executor.reads.cache.head = self._log.head
        self._executor.reads.vectors.head = self._log.head
        self._log_alive = True
        self._tasks = [
            keep_running(self._follow, "log", StoreError),
            keep_running(self.committer.run, "committer", StoreError),
            keep_running(self._store_health.look, "lag", StoreError),
        ]

    async def stop(self) -> None:
        """Stop every task; the store stays open."""
        self.loop_watch.stop()
        await end(self._tasks)
        await self._freshness.stop()
        await self.live.stop()
        await self._executor.reads.vectors.stop()
        self._log_alive = False

    async def _follow(self) -> None:
        self._log_alive = True
        try:
            await self._log.follow()
        finally:
            self._log_alive = False

    head = property(
        attrgetter("_log.head"),  # asked for each push, so without a call of a function of Python's
        doc="The newest timestamp that the log has delivered; every live query is judged by it.",
    )

    dirty = property(attrgetter("live.dirty"), doc="The live queries that somebody holds and that are dirty.")

    def recent_commits(self, after: Ts) -> list[KeyedCommit] | None:
        """Give the commits after an instant, if the log still has them all."""
        return self._log.since(after)

    @property
    def lag_seconds(self) -> float:
        """How far the log is behind the database, in seconds."""
        return self._lag.seconds(self._log.head)

    @property
    def gaps(self) -> int:
        """How often the log has lost its position."""
        return self._log.gaps

    def report_to(self, health: Health, log_timeout: float) -> None:
        """Let the parts of the engine be asked how they are.

        Args:
            log_timeout: Seconds that the log may be behind the database.
        """
        health.add("store", self._store_health)
        health.add("log", LogHealth(self._log, self._lag, lambda: self._log_alive, log_timeout))
        health.add("indexes", IndexHealth(self.store))
        health.add("engine", self._health)
        health.add("loop", self.loop_watch)

    async def _health(self) -> PartHealth:
        figures = {
            "backlog": self.committer.backlog,
            "forwardedMutations": self.peers.counters["forwarded"],
            "liveQueries": len(self.live),
            "unreadableDocuments": len(self.unreadable),
            "swept": asdict(self.swept),
        }
        if (fault := self.committer.fault) is not None:
            return PartHealth(f"commits fail: {fault}", Level.FAILING, figures=figures)
        return PartHealth(figures=figures)

    async def wait_for(self, ts: Ts) -> None:
        """Wait until the head is at ``ts`` or beyond."""
        await self._log.wait_for(ts)

    def floor(self, notify: Callable[[], None]) -> Floor:
        """Give the instant that an answer to a question of now must not be older than; see ``Freshness``."""
        return self._freshness.floor(notify)

    async def wait_until_current(self, live: LiveQuery) -> None:
        """Wait until the newest result of a live query holds everything that was acknowledged before this call."""
        await self.live.wait_until_known(live, await self._freshness.catch_up())

    def subscribe(
        self,
        subscriber: Subscriber,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        journal: bytes | None = None,
        account: Account = SERVER,
        anew: bool = False,
    ) -> LiveQuery:
        """Join a live query; see ``LiveQueries.subscribe``."""
        return self.live.subscribe(subscriber, path, args, identity, journal, account, anew)

    def unsubscribe(self, subscriber: Subscriber, live: LiveQuery) -> None:
        """Leave a live query once."""
        self.live.unsubscribe(subscriber, live)

    def look_back(self, live: LiveQuery, ts: Ts) -> bool:
        """Begin to find a result as of an earlier instant; see ``Pasts.look_back``."""
        return self.live.pasts.look_back(live, ts, self._log.head)

    def watch(self, subscriber: Subscriber, function: Function, payer: Payer | None = None) -> LiveQuery:
        """Join the live query of a function of the server's own; see ``LiveQueries.watch``."""
        return self.live.watch(subscriber, function, payer)

    async def run_system_query(self, function: Function, recall: Recall | None = None) -> Outcome:
        """Run a query of the server's own at the head; ``recall``: what the run before has left, for this and the next."""
        ts = self.head
        try:
            run = await self._executor.query(
                function, {}, None, ts, recall=self._log.brought_up_to(ts, recall or Recall())
            )
            return outcome_of(run, ts)
        except StoreError as error:
            return unavailable(error)

    async def instant(self) -> Ts:
        """Tell the newest instant of the database, at which everything can be seen that was acknowledged before.

        Raises:
            StoreError: The database does not answer.
        """
        return await self._freshness.instant()

    @observed("query")
    async def query(
        self,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        *,
        origin: CallOrigin = CallOrigin.CLIENT,
        at: Ts | None = None,
        account: Account = SERVER,
    ) -> Outcome:
        """Run a query once; everything that was acknowledged before is in its answer.

        Args:
            at: As of when, if not now.
            account: Whom it is charged to: it waits for a place to run in, as live queries do, and has as long as they have.
        """
        timeout = None if account.address is None else self._query_timeout
        try:
            function, values = self._executor.prepare(path, Kind.QUERY, args, identity, origin)

            async def run() -> Outcome:
                async with self.places.taken(account):
                    ts = await self._freshness.instant() if at is None else at
                    query = self._executor.query(function, values, identity, ts, origin=origin, timeout=timeout)
                    return outcome_of(await query, ts)

            return await at_cost(account.address, run())
        except FunctionError as error:
            return Outcome(error=error.info)
        except StoreError as error:
            return unavailable(error)

    async def query_within(
        self, ctx: QueryContext, path: str, args: Mapping[str, Any], identity: Identity | None, origin: CallOrigin
    ) -> bytes:
        """Run a query as somebody else within one of the server's own, at its instant, and give its result, encoded.

        Raises:
            FunctionError: What the query raised.
        """
        return await self._executor.query_within(ctx, path, args, identity, origin)

    async def admit(self, function: Function, identity: Identity | None, *, account: Account = SERVER) -> None:
        """Let somebody call a mutation or an action as of now, or not; it is not called.

        Raises:
            FunctionError: They may not.
            StoreError: The database does not answer.
        """
        refuse_impersonation(identity)
        async with self.places.taken(account):
            await self._executor.admit(function, identity, await self._freshness.instant())

    @property
    def addresses(self) -> FileAddresses:
        """What makes the addresses of files, and reads them."""
        return self._executor.addresses

    def use_file_key(self, key: bytes) -> None:
        """Make and read the addresses of files by this key from now on."""
        self._executor.addresses = FileAddresses(key)

    def now(self) -> int:
        """Tell the time in milliseconds since 1970 (UTC)."""
        return self._executor.now()

    @observed("mutation")
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
        origin: CallOrigin = CallOrigin.CLIENT,
        committing: Callable[[], None] | None = None,
    ) -> Outcome:
        """Run a mutation and commit it; errors are part of the outcome.

        Args:
            session: With ``number`` it names the request: however often it comes, it is committed once.
            retry: It may have been committed already; look first.
            issued_at: When it was first asked for, in milliseconds since 1970; a retry that is too old is refused.
            mark: Kept with the record, always of one length in one session; a request of another mark fails with
                ``request_reused``. By default that of the caller: nobody else is told what came of it.
            origin: Where the call comes from.
            committing: Called before its writes are handed over to be committed, each time that they are.
        """
        if session is None or number is None:
            # Nobody can ask again, but the committer can: a lost acknowledgement must not commit twice either.
            session, number, retry = secrets.token_bytes(16), 0, False
        mark = mark or caller_mark(identity)
        by = cause_of(identity, origin)
        call = MutationCall(path, args, identity, session, number, retry, issued_at, mark, origin, by)
        return await self._mutate(call, committing)

    async def mutate_for_peer(self, call: MutationCall) -> Outcome:
        """Run a mutation here that another hub was asked for."""
        return await self._mutate(call, for_peer=True)

    async def _mutate(
        self, call: MutationCall, committing: Callable[[], None] | None = None, *, for_peer: bool = False
    ) -> Outcome:
        try:
            refuse_impersonation(call.identity)
            if call.retry:
                earlier = await self._mutations.earlier(call.session, call.number, call.mark)
                if earlier is not None:
                    return earlier
                self._mutations.check_age(call.issued_at)
            function, values = self._executor.prepare(call.path, Kind.MUTATION, call.args, call.identity, call.origin)
            now = self._executor.now()
            with caused_by(call.cause):
                return await self._mutations.run(
                    Request(
                        function, values, call.identity, call.session, call.number, call.retry, Seed(), now, call.mark,
                        call.origin, committing, None if for_peer else call,
                    )
                )  # fmt: skip
        except FunctionError as error:
            return Outcome(error=error.info)
        except StoreError as error:
            # What the store refuses for good was never committed; anything else may have been.
            return unavailable(error, unknown=error.passing and not isinstance(error, NothingWritten))

    def use_env(self, env: Env) -> None:
        """Give the application's settings to its functions from now on."""
        self._executor.env = env

    async def transact(
        self, work: Work, *, path: str = "_server:transact", isolation: Isolation = "serializable"
    ) -> Outcome:
        """Do some work of the server's own as a mutation, as nobody; when this returns, queries see it.

        If it writes nothing, nothing is committed: its outcome has no ``ts``.

        Args:
            path: What errors and the log call it; that of a function of the application, if it is the run of one.
        """
        function = function_for_work(path, isolation)
        if self.registry.scheduled(path) is not None:
            return await self._transact_observed(function, work)
        return await self._transact(function, work)

    @observed("mutation")
    async def _transact_observed(self, function: Function, work: Work) -> Outcome:
        """Run a mutation that was scheduled."""
        return await self._transact(function, work)

    async def _transact(self, function: Function, work: Work) -> Outcome:
        session, now = secrets.token_bytes(16), self._executor.now()
        try:
            request = Request(
                function, {"work": work}, None, session, 0, False, Seed(), now, origin=CallOrigin.APPLICATION,
                is_asked_for_again=False,
            )  # fmt: skip
            outcome = await self._mutations.run(request)
        except StoreError as error:
            return unavailable(error, unknown=error.passing and not isinstance(error, NothingWritten))
        await self.wait_for(outcome.ts or 0)
        return outcome

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

    @observed("action")
    async def run_action(
        self,
        path: str,
        args: Mapping[str, Any],
        identity: Identity | None,
        *,
        origin: CallOrigin = CallOrigin.CLIENT,
        account: Account = SERVER,
    ) -> Outcome:
        """Run an action; what it calls is called by its own caller, internal functions too.

        Args:
            account: Whom its queries are charged to.
        """
        try:
            function, values = self._executor.prepare(path, Kind.ACTION, args, identity, origin)
        except FunctionError as error:
            return Outcome(error=error.info)
        return await self._actions.run(function, values, identity, origin, account)

    @observed("route")
    async def run_route(
        self, route: Function, values: Arguments, identity: Identity | None, *, account: Account = SERVER
    ) -> Outcome:
        """Run a route with what its body takes."""
        return await self._actions.run(route, values, identity, CallOrigin.CLIENT, account)
