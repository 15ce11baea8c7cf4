"""What a function gets as its first argument: the database, the arrays, who is calling, and what else its kind may use."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from copy import copy
from functools import cached_property
from random import Random
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

import numpy as np
import numpy.typing as npt

from synovia.errors import InvalidArguments, SchemaError
from synovia.functions.access import CallerAccess, require_identity
from synovia.functions.audit import APPLICATION, IMPERSONATE, AuditEntry
from synovia.functions.awaiting import awaited
from synovia.functions.database import DatabaseWriter, SystemWriter
from synovia.functions.database_reader import DatabaseReader
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.env import E, Env
from synovia.functions.file_addresses import FileAddresses
from synovia.functions.files import ActionFiles, Files, MutationFiles
from synovia.functions.references import declared_by
from synovia.functions.services import Mail, MutationScheduler, Result, Scheduler, Services
from synovia.functions.shared import SharedReader, SharedWriter
from synovia.identity import Identity, Impersonation
from synovia.schema import Id
from synovia.store import arrays
from synovia.store.base import ArrayStore
from synovia.transaction.keyed import Point
from synovia.transaction.readset import ReadSet
from synovia_protocol.messages import ArrayRef

P = ParamSpec("P")
R = TypeVar("R")

HOLDS_MS = 1000
FOREVER = 1 << 62


class ArrayReader:
    """The samples that array fields refer to."""

    def __init__(self, store: ArrayStore) -> None:
        self.store = store

    @awaited("ctx.arrays.read")
    async def read(self, ref: ArrayRef, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Read elements ``[start, stop)``; the whole array comes in its shape, a part of it one-dimensional."""
        whole = start == 0 and stop in (None, ref.length)
        samples = await arrays.read_range(self.store, ref, start, stop)
        return samples.reshape(ref.shape) if whole else samples


class ArrayWriter(ArrayReader):
    """Arrays for mutations and actions, which may also store new ones."""

    @awaited("ctx.arrays.write")
    async def write(self, samples: npt.NDArray[np.generic]) -> ArrayRef:
        """Store an array and give the reference that a document can hold."""
        return await arrays.write_array(self.store, samples)


class Context:
    """What every kind of function has."""

    def __init__(
        self,
        identity: Identity | None,
        reads: ReadSet,
        access: CallerAccess | None = None,
        env: Env | None = None,
    ) -> None:
        self._identity = identity
        self._env = env
        self._reads = reads
        self.access = access or CallerAccess()

    @property
    def identity(self) -> Identity | None:
        """Who is calling, None if nobody is signed in.

        Looking makes the result belong to this caller; a query that does not look is shared by all.
        """
        self._reads.identity = True
        return self._identity

    def env(self, declared: type[E]) -> E:
        """Give the application's settings, as they were when the hub started.

        Args:
            declared: The class in which it declares them.

        Raises:
            SchemaError: It declares no such settings.
        """
        if not isinstance(self._env, declared):
            raise SchemaError(f"{declared.__name__} is not what the application declares its settings in")
        return self._env

    @property
    def trusted(self) -> bool:
        """Whether the application itself is calling, as by its schedule: nobody is signed in, and access is not checked."""
        return self.access.trusted

    @awaited("ctx.roles")
    async def roles(self) -> frozenset[str]:
        """Tell the caller's roles: as of the run's instant, in an action as of now; without those of one tenant alone."""
        return (await self.access.roles()).everywhere

    @awaited("ctx.capabilities")
    async def capabilities(self, within: str | None = None) -> frozenset[str]:
        """Tell all that is granted to the caller's roles.

        Args:
            within: The id of a tenant, of which the roles that the caller holds there alone count, too.
        """
        return self.access.table.capabilities((await self.access.roles()).within(within))

    @awaited("ctx.tenants_with")
    async def tenants_with(self, capability: str) -> frozenset[str] | None:
        """Tell the ids of the tenants in which something is granted to the caller; None: in all of them.

        Raises:
            SchemaError: The table of roles grants it to nobody.
        """
        table, held = self.access.table, await self.access.roles()
        table.check((), capability)
        if capability in table.capabilities(held.everywhere):
            return None
        return frozenset(each for each, roles in held.by_tenant.items() if capability in table.capabilities(roles))

    @property
    def grants(self) -> Mapping[str, frozenset[str]]:
        """The application's table of roles: the capabilities that are granted to each."""
        return self.access.table.grants


class QueryContext(Context):
    """For queries. ``MutationContext`` is one too, so helpers that read can serve both."""

    def __init__(
        self,
        identity: Identity | None,
        reads: ReadSet,
        db: DatabaseReader,
        store: ArrayStore,
        *,
        now: int,
        access: CallerAccess | None = None,
        env: Env | None = None,
        addresses: FileAddresses,
    ) -> None:
        super().__init__(identity, reads, access, env)
        self.db = db
        self._addresses = addresses
        self._store = store
        self._now = now

    def as_application(self) -> QueryContext:
        """Give a context of the same run in which the application itself is calling: rules are not asked."""
        if self.trusted:
            return self
        return QueryContext(
            None,
            self._reads,
            self.db.for_application(),
            self._store,
            now=self._now,
            access=self.access.of_application(),
            env=self._env,
            addresses=self._addresses,
        )

    @cached_property
    def arrays(self) -> ArrayReader:
        """The samples that array fields refer to."""
        return ArrayReader(self._store)

    @cached_property
    def files(self) -> Files:
        """The addresses of files."""
        return Files(self._addresses, self._reads, self._now)

    @cached_property
    def shared(self) -> SharedReader:
        """The shared documents of rows."""
        return SharedReader(self.db)

    @property
    def now(self) -> int:
        """The time in milliseconds since 1970 (UTC).

        In a query, looking at it makes the answer hold for a second and then be found anew; ``hold_until`` says better.
        In a mutation it is the same in every run of one request.
        """
        if self._reads.holds_until is None:
            self._reads.holds_until = self._now + HOLDS_MS
        return self._now

    def hold_until(self, *times: int) -> None:
        """Say until when the answer of a query that looks at the time holds: the earliest of ``times`` (as ``now``).

        "Who was active in the last 30 seconds" holds until the first of them falls out:
        ``ctx.hold_until(*(row.seen_at + 30_000 for row in rows))``. Without any time it holds until something is written.
        """
        now = self.now
        if not all(isinstance(each, int | float) and each == each for each in times):
            raise TypeError(f"hold_until() takes times in milliseconds since 1970, not {times!r:.80}")
        self._reads.holds_until = max(now + 1, min(times, default=FOREVER))


def note_memory_read(ctx: QueryContext, point: Point) -> None:
    """Note that a query of the server's own has read what the server keeps in memory under a name."""
    ctx._reads.points.add(point)


class Seed:
    """Where the random numbers of a request come from, the same in all its runs; drawn when it is first asked for."""

    _drawn: bytes | None = None

    def draw(self) -> bytes:
        """Give the seed."""
        if self._drawn is None:
            self._drawn = secrets.token_bytes(16)
        return self._drawn


class SeededRandom:
    """Random numbers from a seed; most mutations ask for none, and to make their source costs as much as two rows."""

    def __init__(self, seed: Seed) -> None:
        self._seed = seed

    @cached_property
    def random(self) -> Random:
        return Random(self._seed.draw())


class MutationContext(QueryContext):
    """For mutations.

    Attributes:
        random: A random source that gives the same in every run of this request; made when it is first asked for.
    """

    db: DatabaseWriter

    def __init__(
        self,
        identity: Identity | None,
        reads: ReadSet,
        db: DatabaseWriter,
        store: ArrayStore,
        *,
        now: int,
        seed: SeededRandom,
        services: Services | None = None,
        access: CallerAccess | None = None,
        env: Env | None = None,
        addresses: FileAddresses,
    ) -> None:
        super().__init__(identity, reads, db, store, now=now, access=access, env=env, addresses=addresses)
        self._seed = seed
        self._services = services or Services()

    @property
    def random(self) -> Random:
        return self._seed.random

    @cached_property
    def arrays(self) -> ArrayWriter:
        """The samples that array fields refer to, and new ones."""
        return ArrayWriter(self._store)

    @cached_property
    def scheduler(self) -> MutationScheduler:
        """The calls to come: what is scheduled here is committed with this mutation, or not at all."""
        return self._services.get_scheduling().within(self._held_by_itself())

    def _held_by_itself(self) -> MutationContext:
        """Give this context for what it holds itself.

        Another one, or they would hold each other: a circle, with all that the run has written, which would only be freed
        when garbage is collected. In a server that has much to do, that is late.
        """
        return copy(self)

    def as_application(self) -> MutationContext:
        """Give a context of the same transaction in which the application itself is calling: rules are not asked."""
        if self.trusted:
            return self
        return MutationContext(
            None, self._reads, self.db.for_application(), self._store, now=self._now, seed=self._seed,
            services=self._services, access=self.access.of_application(), env=self._env, addresses=self._addresses,
        )  # fmt: skip

    @cached_property
    def files(self) -> MutationFiles:
        """The addresses of files, and the uploads that are to become files of documents."""
        return MutationFiles(self._held_by_itself(), self.db, self._addresses, self._reads, self._now, self._store)

    @cached_property
    def shared(self) -> SharedWriter:
        """The shared documents of rows."""
        return SharedWriter(self.db, self._held_by_itself())

    @awaited("ctx.audit", is_write=True)
    async def audit(
        self,
        action: str,
        *,
        subject: str | None = None,
        reason: str | None = None,
        scope: str | None = None,
        data: Any = None,
    ) -> Id[AuditEntry]:
        """Add an entry to the audit table; it is committed with this mutation, or not at all.

        Args:
            action: What was done, as ``users.archive``.
            subject: To whom or what.
            reason: Why, in the caller's words.
            scope: Whose entry it is, as an organization's id.
            data: Any wire value that is worth keeping with it.
        """
        identity = self.identity
        actor = APPLICATION if self.trusted else None if identity is None else identity.key
        entry = AuditEntry(
            at=self.now, actor=actor, action=action, subject=subject, reason=reason, scope=scope, data=data
        )
        return await SystemWriter(self.db).insert(entry)

    @awaited("ctx.impersonate", is_write=True)
    async def impersonate(self, identity: Identity, *, reason: str) -> str:
        """Give the caller a token by which they look at the application as somebody else; it only reads.

        The token is good from the commit on, for at most 15 minutes, and is written to the audit table. It ends before
        that when the caller signs out, or could not call this mutation any more by the access that it declares.

        Args:
            identity: Who to look as, as the application has stored it.
            reason: Why, in the caller's words; not empty.

        Raises:
            Unauthenticated: Nobody is signed in.
            InvalidArguments: There is no reason.
            FunctionError: ``impersonation_unavailable``: the server has no sign-in of its own.
        """
        impersonation = Impersonation(require_identity(self), self.access.path)
        if not reason.strip():
            raise InvalidArguments("say why: the reason is written to the audit table")
        session = await self._services.get_impersonator().impersonate(identity, impersonation)
        SystemWriter(self.db).add(session.table, session.document)
        await self.audit(IMPERSONATE, subject=identity.key, reason=reason, data={"expiresAt": session.expires_at})
        return session.token


Call = Callable[[str, Mapping[str, Any]], Awaitable[Any]]

Work = Callable[[MutationContext], Awaitable[Any]]
"""What is done in a transaction; it may be done several times, and gives a wire value."""

Transact = Callable[[Work], Awaitable[Result]]
"""Does it and commits."""


class ActionContext(Context):
    """For actions: they have no database of their own, they call queries and mutations.

    Attributes:
        now: The time in milliseconds since 1970 (UTC) at which the action began.
    """

    def __init__(
        self,
        identity: Identity | None,
        reads: ReadSet,
        store: ArrayStore,
        *,
        now: int,
        run_query: Call,
        run_mutation: Call,
        transact: Transact,
        services: Services | None = None,
        access: CallerAccess | None = None,
        env: Env | None = None,
        addresses: FileAddresses,
    ) -> None:
        super().__init__(identity, reads, access, env)
        self.arrays = ArrayWriter(store)
        self.files = ActionFiles(transact, addresses, reads, now, store)
        self.now = now
        self._run_query = run_query
        self._run_mutation = run_mutation
        self._transact = transact
        self._services = services or Services()

    @cached_property
    def scheduler(self) -> Scheduler:
        """The calls to come; each is scheduled for good when the call that schedules it returns."""
        transact = self._transact
        return self._services.get_scheduling().apart(lambda work: transact(lambda ctx: work(ctx.scheduler)))

    @property
    def mail(self) -> Mail:
        """The way to send mail."""
        return self._services.get_mail()

    @overload
    def run_query(self, function: str, args: Mapping[str, Any] | None = None, /) -> Coroutine[Any, Any, Any]: ...
    @overload
    def run_query(
        self, function: Callable[Concatenate[QueryContext, P], Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]: ...
    @awaited("ctx.run_query")
    async def run_query(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run a query, internal ones too.

        Args:
            function: The query, or its path.
            args: What it takes as its arguments, by position or by name. With a path: a map of them as a client would send
                it; the result is given as a client would get it, too. Arrays may be numpy's.

        Raises:
            FunctionError: What the query raised.
            TypeError: It does not take these arguments.
        """
        return await self._call(self._run_query, function, args, kwargs)

    @overload
    def run_mutation(self, function: str, args: Mapping[str, Any] | None = None, /) -> Coroutine[Any, Any, Any]: ...
    @overload
    def run_mutation(
        self, function: Callable[Concatenate[MutationContext, P], Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]: ...
    @awaited("ctx.run_mutation")
    async def run_mutation(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run a mutation, internal ones too, in a transaction of its own; it is committed when this returns.

        Args and errors are as for ``run_query``.
        """
        return await self._call(self._run_mutation, function, args, kwargs)

    async def _call(self, run: Call, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        declared = declared_by(function)
        if declared is None:
            return await run(function, await self._store_arrays(*args, **kwargs))
        given = await self._store_arrays(declared.bind(*args, **kwargs))
        return declared.receive(await run(declared.path, declared.send(given)))

    async def _store_arrays(self, args: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        stored: Mapping[str, Any] = await arrays.store_arrays(self.arrays.store, args or {})
        return stored


tell_elsewhere(
    QueryContext,
    ["scheduler", "mail", "random", "audit", "impersonate"],
    "a query only reads: ctx.{name} is for mutations",
)
tell_elsewhere(MutationContext, ["mail"], "a mutation may run again: schedule an action, which has ctx.mail")
tell_elsewhere(
    QueryContext,
    ["run_query", "run_mutation", "run_action"],
    "ctx.{name} is for actions; here, call a function of your own with ctx as its first argument",
)
tell_elsewhere(
    ActionContext,
    ["db"],
    "an action has no database of its own: it calls queries and mutations by ctx.run_query and ctx.run_mutation",
)
tell_elsewhere(ActionContext, ["run_action"], "an action runs no other one: call a function of your own with ctx")
