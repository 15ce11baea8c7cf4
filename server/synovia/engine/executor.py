"""Runs functions: a query at a timestamp, a mutation as a transaction that is not yet committed, an action."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from types import CodeType
from typing import Any

from synovia.engine.deadlines import within
from synovia.engine.results import packed_result, refusal
from synovia.engine.runs import Arguments, IdentityNeeded, MutationRun, Run, arguments_of
from synovia.engine.settings import EngineLimits
from synovia.engine.store_errors import told_of
from synovia.engine.tracing import UNTRACED, Tracer, traced
from synovia.errors import Forbidden, FunctionError, InvalidArguments
from synovia.functions.access import CallerAccess, CallOrigin, HeldRoles
from synovia.functions.audit import APPLICATION
from synovia.functions.awaiting import RunCalls
from synovia.functions.cascades import CASCADES, GO_ON, Cascades
from synovia.functions.context import ActionContext, Call, MutationContext, QueryContext, Seed, SeededRandom, Transact
from synovia.functions.database import DatabaseWriter
from synovia.functions.database_reader import DatabaseReader
from synovia.functions.env import Env
from synovia.functions.file_addresses import KEY_BYTES, FileAddresses
from synovia.functions.function import Function, Kind
from synovia.functions.hints import hint_for
from synovia.functions.keeping import Author
from synovia.functions.log_lines import collected
from synovia.functions.pages import Journal
from synovia.functions.registry import Registry
from synovia.functions.row_rules import CallerRules
from synovia.functions.services import Services
from synovia.functions.unreadable import UnreadableDocument, UnreadableDocuments
from synovia.identity import Identity, Impersonation
from synovia.schema import IdClock, RunIds
from synovia.schema.unknown_fields import passed_over_in
from synovia.sealing.keyring import Keyring
from synovia.store.base import IndexMissing, Snapshot, Store, StoreError, StoreUnusable, Ts
from synovia.transaction.batching import BatchedReads
from synovia.transaction.budget import INSTEAD, WriteBudget
from synovia.transaction.cost import ReadCost
from synovia.transaction.index_use import IndexUse
from synovia.transaction.once import OnceSnapshot
from synovia.transaction.readset import ReadSet
from synovia.transaction.recall import Recall
from synovia.transaction.rows import RowCache
from synovia.transaction.transaction import MANY, Transaction
from synovia.transaction.vector_cache import VectorCache
from synovia_protocol.errors import ErrorCode, ErrorInfo

logger = logging.getLogger("synovia")

Clock = Callable[[], float]
"""The time in seconds since 1970 (UTC)."""


def _too_slow(function: Function, seconds: float | None, cost: ReadCost, hint: str = "") -> ErrorInfo:
    text = f"{function.path} took longer than {seconds:g} s; it has read {cost}{hint}"
    logger.warning("%s", text)
    data = [{"table": table, "index": index, "documents": read} for (table, index), read in cost.documents.items()]
    return ErrorInfo(ErrorCode.TIMEOUT, text, {"seconds": seconds, "read": data})


class _Nobody(QueryContext):
    """The context of a query that is run for everybody."""

    @property
    def identity(self) -> Identity | None:
        raise IdentityNeeded


class Executor:
    """Runs the functions of a registry against a store.

    Args:
        debug: Whether clients may see the text of an exception.
        clock: Tells the time; tests move it.
        services: What functions may use beyond the database.
        limits: How large a result may be.
        tracer: Makes spans of what is read.
        keyring: Seals and opens encrypted fields, and seals what is kept of requests; None: there are no keys.

    Attributes:
        ids: The clock from which the ids of new documents are made.
        unreadable: The documents that are known not to fit their tables.
        reads: Gives the database as of a timestamp.
        index_use: How often each index was read.
        env: The application's settings, once they are read.
        addresses: Makes the addresses of files; of a key that it has alone, until it is given another.
        on_failure: Is told of every exception that no function may raise, with the reference under which it is logged.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        debug: bool = False,
        clock: Clock = time.time,
        services: Services | None = None,
        limits: EngineLimits | None = None,
        tracer: Tracer = UNTRACED,
        keyring: Keyring | None = None,
    ) -> None:
        self.keyring = keyring
        self._tracer = tracer
        self._limits = limits or EngineLimits()
        self._store = store
        self.services = services or Services()
        vectors = VectorCache(self._limits.max_vector_bytes, self._limits.max_exact_vectors)
        self.reads = BatchedReads(store, vectors=vectors)
        self.registry = registry
        self._debug = debug
        self._clock = clock
        self.ids = IdClock(self.now)
        self.unreadable = UnreadableDocuments()
        self.index_use = IndexUse()
        self.env: Env | None = None
        self.addresses = FileAddresses(secrets.token_bytes(KEY_BYTES))
        self.on_failure: Callable[[str, Exception], None] = lambda reference, error: None

    def _transaction(self, snapshot: Snapshot, budget: WriteBudget | None = None) -> Transaction:
        return Transaction(snapshot, budget, self.keyring)

    def _no_rows(self) -> RowCache:
        return RowCache(keyring=self.keyring)

    def now(self) -> int:
        """Tell the time in milliseconds since 1970 (UTC)."""
        return int(self._clock() * 1000)

    async def query(
        self,
        function: Function,
        args: Arguments,
        identity: Identity | None,
        ts: Ts,
        *,
        journal: bytes | None = None,
        shared: bool = False,
        origin: CallOrigin = CallOrigin.CLIENT,
        recall: Recall | None = None,
        timeout: float | None = None,
    ) -> Run:
        """Run a query as of ``ts``.

        Args:
            journal: Where its pages ended when it first ran.
            shared: Run it for everybody who may call it; then IdentityNeeded is raised if it looks at the identity.
            origin: Where the call comes from.
            recall: What the run before has left; changed so that it serves the next. None: there is no next.
            timeout: Seconds after which it fails with ``timeout``.

        Raises:
            StoreError: One that passes, or StoreUnusable; also if the database did not answer within its time.
        """
        database = traced(self.reads.snapshot(ts), self._tracer)
        remembering = None if recall is None else recall.snapshot(database, self.keyring)
        rows = self._no_rows() if recall is None else recall.rows
        transaction = self._transaction(OnceSnapshot(database) if remembering is None else remembering)
        try:
            pages = Journal() if journal is None else Journal.of(journal)
        except FunctionError as error:
            return Run(ReadSet(), error=error.info)
        rules = self._rules(function, transaction, rows, origin)
        db = DatabaseReader(transaction, pages, rows, self.unreadable.note, rules, self._cascades(transaction))
        kind = _Nobody if shared else QueryContext
        now = self.now()
        access = self._caller_access(kind, identity, transaction, now, origin=origin, rows=rows)
        context = self._reading(kind, identity, db, now, access)
        run = Run(transaction.reads)
        try:
            running = self._run(function, context, args, run, rows, admitted=shared, rules=rules)
            if identity is not None and identity.impersonation is not None and not shared:
                running = self._unless_objected(identity.impersonation, transaction, now, run, running)
            await within(timeout, self._store, running)
        except TimeoutError:
            run.timed_out = True
            run.refuse(_too_slow(function, timeout, transaction.cost))
        except StoreError as error:
            if error.passing or isinstance(error, StoreUnusable):
                raise
            logger.warning("%s cannot read what it asks for: %s", function.path, error)
            run.refuse(told_of(error))
        run.journal = pages.pack()
        run.documents_read = transaction.documents_read
        self.index_use.add(transaction.cost, function.path, transaction.reads)
        if recall is not None and remembering is not None:
            recall.keep(remembering)
        return run

    async def query_within(
        self, outer: QueryContext, path: str, args: Mapping[str, Any], identity: Identity | None, origin: CallOrigin
    ) -> bytes:
        """Run a query for a caller of its own within another one, which has then read whatever it reads.

        Raises:
            FunctionError: What it raises.
        """
        function, values = self.prepare(path, Kind.QUERY, args, identity, origin)
        transaction, now = outer.db.transaction, self.now()
        access = self._caller_access(QueryContext, identity, transaction, now, origin=origin)
        rules = self._rules(function, transaction, None, origin)
        db = DatabaseReader(transaction, notice=self.unreadable.note, judge=rules, cascades=self._cascades(transaction))
        context = self._reading(QueryContext, identity, db, now, access)
        await function.access.admit(context)
        if isinstance(values, InvalidArguments):
            raise values
        with RunCalls(context) as calls:
            given = await self._result(function, context, values, calls, rules)
        return (await packed_result(function, given, None)).packed

    async def mutation(
        self,
        function: Function,
        args: Arguments,
        identity: Identity | None,
        snapshot: Snapshot,
        *,
        seed: Seed,
        now: int,
        origin: CallOrigin = CallOrigin.CLIENT,
    ) -> MutationRun:
        """Run a mutation on a snapshot; the same ``seed`` and ``now`` give it the same random numbers."""
        limits = self._limits
        budget = WriteBudget(limits.max_mutation_documents, limits.max_mutation_bytes, limits.max_mutation_entries)
        if self._tracer.active:
            snapshot = traced(snapshot, self._tracer)
        transaction = Transaction(OnceSnapshot(snapshot, MANY), budget, self.keyring)
        ids, rows = RunIds(self.ids), self._no_rows()
        rules = self._rules(function, transaction, rows, origin) if self.registry.rules.by_table else None
        author = Author(APPLICATION if origin.trusted else None if identity is None else identity.key, now)
        db = DatabaseWriter(transaction, ids, self.unreadable.note, self.registry.relations, rules, author, rows)
        access = self._caller_access(
            QueryContext, identity, transaction, now, origin=origin, path=function.path, rows=rows
        )
        context = MutationContext(
            identity, transaction.reads, db, self._store.arrays, now=now, seed=SeededRandom(seed), services=self.services,
            access=access, env=self.env, addresses=self.addresses,
        )  # fmt: skip
        run = MutationRun(transaction.reads, transaction=transaction, ids=ids)
        try:
            running = self._run_mutation(function, context, args, run, rules)
            await within(limits.mutation_timeout, self._store, running)
        except TimeoutError:
            has_worked = transaction.documents_read or transaction.documents_written
            hint = f"; {INSTEAD}" if has_worked else ""
            run.refuse(_too_slow(function, limits.mutation_timeout, transaction.cost, hint))
        if budget.exceeded is not None:
            run.refuse(budget.exceeded.info)
        run.documents_read, run.documents_written = transaction.documents_read, transaction.documents_written
        run.entries_changed = budget.entered
        if transaction.cost.documents:
            self.index_use.add(transaction.cost, function.path, transaction.reads)
        return run

    async def _run_mutation(
        self, function: Function, context: MutationContext, args: Arguments, run: Run, rules: CallerRules | None
    ) -> None:
        await self._run(function, context, args, run, rules=rules)
        if CASCADES.name in context.db.transaction.revisions and function.path != GO_ON:
            await context.scheduler.run_after(timedelta(), GO_ON)

    async def action(
        self,
        function: Function,
        args: Arguments,
        identity: Identity | None,
        run_query: Call,
        run_mutation: Call,
        transact: Transact,
        instant: Callable[[], Awaitable[Ts]],
        *,
        origin: CallOrigin = CallOrigin.CLIENT,
    ) -> Run:
        """Run an action.

        Args:
            instant: Tells the newest instant; as of that the caller's roles are found, anew each time that they are asked
                for.
        """

        async def find() -> HeldRoles:
            transaction, now = self._transaction(self.reads.snapshot(await instant())), self.now()
            return await self._roles(QueryContext, identity, transaction, now)

        run = Run(ReadSet())
        context = ActionContext(
            identity, run.reads, self._store.arrays, now=self.now(), run_query=run_query, run_mutation=run_mutation,
            transact=transact, services=self.services,
            access=CallerAccess(self.registry.roles, find, origin=origin, once=False), env=self.env,
            addresses=self.addresses,
        )  # fmt: skip
        await self._run(function, context, args, run)
        return run

    async def admit(self, function: Function, identity: Identity | None, ts: Ts) -> None:
        """Let somebody call a function as of ``ts``, or not; it is not called.

        Raises:
            FunctionError: They may not, or whoever finds their roles has failed.
        """
        await self._admit(function, identity, self._transaction(self.reads.snapshot(ts)), self.now())

    def _cascades(self, transaction: Transaction) -> Cascades:
        return Cascades(transaction, self.registry.relations)

    async def _admit(self, function: Function, identity: Identity | None, transaction: Transaction, now: int) -> None:
        access = self._caller_access(QueryContext, identity, transaction, now)
        db = DatabaseReader(transaction, notice=self.unreadable.note, cascades=self._cascades(transaction))
        context = self._reading(QueryContext, identity, db, now, access)
        try:
            with RunCalls(context):
                await function.access.admit(context)
        except (FunctionError, StoreError):
            raise
        except Exception as error:  # of the application, which finds the caller's roles
            told = self._server_error(function, error)
            raise FunctionError(told.code, told.message, told.data) from error

    def _reading(
        self,
        kind: type[QueryContext],
        identity: Identity | None,
        db: DatabaseReader,
        now: int,
        access: CallerAccess | None = None,
    ) -> QueryContext:
        """Make a context that only reads, of what ``db`` reads."""
        reads = db.transaction.reads
        return kind(
            identity, reads, db, self._store.arrays, now=now, access=access, env=self.env, addresses=self.addresses
        )

    def _rules(
        self, function: Function, transaction: Transaction, rows: RowCache | None, origin: CallOrigin
    ) -> CallerRules | None:
        """Give what the rules say to the caller of a function; None: the server or the application itself is calling."""
        rules = self.registry.rules
        if not rules or origin.trusted or self.registry.functions.get(function.path) is not function:
            return None
        return CallerRules(rules, transaction, rows or self._no_rows(), self.unreadable.note)

    def _caller_access(
        self,
        kind: type[QueryContext],
        identity: Identity | None,
        transaction: Transaction,
        now: int,
        *,
        origin: CallOrigin = CallOrigin.CLIENT,
        path: str = "",
        rows: RowCache | None = None,
    ) -> CallerAccess:
        async def find() -> HeldRoles:
            return await self._roles(kind, identity, transaction, now, rows)

        return CallerAccess(self.registry.roles, find, origin=origin, path=path)

    async def _unless_objected(
        self,
        impersonation: Impersonation,
        transaction: Transaction,
        now: int,
        run: Run,
        running: Coroutine[Any, Any, None],
    ) -> None:
        run.error = await self._objection(impersonation, transaction, now)
        if run.error is None:
            await running
        else:
            running.close()

    async def _objection(self, impersonation: Impersonation, transaction: Transaction, now: int) -> ErrorInfo | None:
        """Tell why somebody may not go on looking as another user, if they may not; what decides it is tracked."""
        permission = self.registry.functions.get(impersonation.permission)
        try:
            if permission is not None:
                await self._admit(permission, impersonation.by, transaction, now)
                return None
        except FunctionError:
            pass
        return Forbidden("this impersonation has ended: its permission was taken").info

    async def _roles(
        self,
        kind: type[QueryContext],
        identity: Identity | None,
        transaction: Transaction,
        now: int,
        rows: RowCache | None = None,
    ) -> HeldRoles:
        """Find a caller's roles in a context that only reads, also in a mutation; ``rows``: those of the run."""
        if self.registry.roles is None:
            return HeldRoles()
        db = DatabaseReader(transaction, None, rows, self.unreadable.note, cascades=self._cascades(transaction))
        return await self.registry.roles.of(self._reading(kind, identity, db, now))

    async def _run(
        self,
        function: Function,
        context: Any,
        args: Arguments,
        run: Run,
        rows: RowCache | None = None,
        *,
        admitted: bool = False,
        rules: CallerRules | None = None,
    ) -> None:
        try:
            with collected() as run.log_lines, RunCalls(context) as calls:
                if not admitted and not function.access.open:
                    await function.access.admit(context)
                if isinstance(args, InvalidArguments):
                    run.error = args.info
                    return
                given = await self._result(function, context, args, calls, rules)
            result = await packed_result(function, given, rows)
            run.value, run.packed, run.arrays = result
            if (refused := refusal(function, result, self._limits)) is not None:
                run.refuse(refused)
        except UnreadableDocument as error:
            run.error = error.full_info if self._debug else error.info
        except FunctionError as error:
            run.error = error.info
        except IndexMissing as error:  # for good, until somebody makes it again: nothing to wait for
            logger.error("%s cannot run: %s", function.path, error)
            run.error = ErrorInfo(ErrorCode.UNKNOWN_INDEX, str(error))
        except (IdentityNeeded, StoreError):
            raise
        except Exception as error:
            run.error = self._server_error(function, error)

    @classmethod
    def calling_code(cls) -> CodeType:
        """Give the code that calls functions; each of its frames has the function in ``function``."""
        return cls._result.__code__

    @staticmethod
    async def _result(
        function: Function, context: Any, args: Mapping[str, Any], calls: RunCalls, rules: CallerRules | None
    ) -> Any:
        if rules is not None:
            rules.caller = context
        try:
            result = await function.body(context, **args)
        except Exception as error:
            calls.explain(error)
            if (hint := hint_for(error)) is not None:
                error.add_note(hint)
            raise
        finally:
            if rules is not None:
                rules.end()
        calls.check(result)
        if rules is not None and rules.fault is not None:
            raise rules.fault
        return result

    def _server_error(self, function: Function, error: Exception) -> ErrorInfo:
        reference = secrets.token_hex(4)
        told = {"function": function.path, "reference": reference}
        logger.exception("%s failed (error %s)", function.path, reference, extra=told)
        self.on_failure(reference, error)
        text = f"server error {reference} in {function.path}"
        if self._debug:
            text = "; ".join([f"{text}: {type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        return ErrorInfo(ErrorCode.SERVER_ERROR, text, {"id": reference})

    def prepare(
        self,
        path: str,
        kind: Kind,
        args: Mapping[str, Any],
        identity: Identity | None,
        origin: CallOrigin = CallOrigin.CLIENT,
    ) -> tuple[Function, Arguments]:
        """Find a function and check its arguments.

        Args:
            identity: Who asks for it.

        Raises:
            FunctionError: There is no such function; or the arguments do not fit one that is open to everybody.
        """
        function = self.registry.find(path, kind, internal=origin.reaches_internal, caller=identity)
        values = arguments_of(function, args)
        if isinstance(values, InvalidArguments) and function.access.open:
            raise values
        if self._debug and not isinstance(values, InvalidArguments):
            for place in {*passed_over_in(function.arguments, args)}:
                logger.warning(
                    "%s was given %s, which no model there declares: it is passed over", function.path, place
                )
        return function, values
