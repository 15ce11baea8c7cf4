"""``_system/functions``: what an application can be asked, and asking it as anybody."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterator
from typing import Any, Literal

from synovia.dashboard.declaring import PREFIX, action, query
from synovia.dashboard.running import Running
from synovia.dashboard.values import SEALED, as_json, from_json, packed_as_json
from synovia.errors import Forbidden, FunctionError, InvalidArguments
from synovia.functions.access import Access, CallOrigin
from synovia.functions.context import ActionContext, MutationContext, QueryContext
from synovia.functions.function import Function, Kind
from synovia.functions.registry import Registry
from synovia.functions.routing import HttpRoute
from synovia.http.jsonschema import Described
from synovia.identity import Identity, may_open
from synovia.schema import Model
from synovia_protocol.errors import ErrorCode


class FunctionInfo(Model):
    """A function, a route or a migration.

    Attributes:
        kind: query, mutation, action, job, workflow, route or migration.
        access: Who may call it, in words.
        place: Where it is declared.
        arguments: The JSON Schema of its arguments; models are in ``definitions``.
        cron: When it is run by itself.
        methods, pattern: Of a route.
    """

    path: str
    kind: str
    access: str
    internal: bool
    docs: str
    place: str
    arguments_schema: str = "{}"
    result_schema: str = "{}"
    cron: str | None = None
    pool: str | None = None
    isolation: str | None = None
    methods: list[str] = []
    pattern: str | None = None


class FunctionList(Model):
    """All of an application.

    Attributes:
        definitions: The models that schemas refer to, as JSON.
    """

    functions: list[FunctionInfo]
    definitions: str


class Caller(Model):
    """As whom a function is called.

    Attributes:
        who: ``application``: as by its schedule, access is not checked. ``nobody``: not signed in. ``user``: somebody
            with what follows.
    """

    who: Literal["application", "nobody", "user"] = "application"
    issuer: str = ""
    subject: str = ""
    email: str | None = None
    name: str | None = None
    roles: list[str] = []

    @property
    def identity(self) -> Identity | None:
        """The identity as which it is called."""
        if self.who != "user":
            return None
        if not self.issuer or not self.subject:
            raise InvalidArguments("a caller has an issuer and a subject")
        return Identity(self.issuer, self.subject, self.email, self.name, roles=tuple(self.roles))

    @property
    def origin(self) -> CallOrigin:
        """Where the call comes from."""
        return CallOrigin.APPLICATION if self.who == "application" else CallOrigin.CLIENT

    def __str__(self) -> str:
        return self.who if self.who != "user" else f"{self.issuer}|{self.subject}"


class Answer(Model):
    """What a call has given.

    Attributes:
        result: As JSON.
        milliseconds: How long it took at the hub, of a mutation with its commit; None: nothing was run, or it is watched
            (the answer changes with the result then, not with each run).
    """

    result: str | None = None
    code: str | None = None
    message: str | None = None
    data: str | None = None
    milliseconds: float | None = None
    read: int = 0
    written: int = 0


class FunctionFunctions:
    """Lists and calls functions."""

    def __init__(self, registry: Registry, running: Running) -> None:
        self._registry = registry
        self._running = running
        self._listed: FunctionList | None = None

    def functions(self) -> Iterator[Function]:
        """List them."""
        yield query("functions:list", self.list)
        yield query("functions:watch", self.watch)
        yield action("functions:run", self.run)

    async def list(self, ctx: QueryContext) -> FunctionList:
        """Describe everything that can be called."""
        if self._listed is None:
            functions = sorted(self._registry.functions.values(), key=lambda each: each.path)
            background = sorted(self._registry.background.values(), key=lambda each: each.path)
            described = Described([*functions, *background])
            found = [_info(each, described) for each in [*functions, *background]]
            found += [_route_info(each) for each in self._registry.routes]
            found += [_migration_info(each) for each in self._registry.migrations]
            self._listed = FunctionList(functions=found, definitions=json.dumps(described.definitions))
        return self._listed

    async def watch(self, ctx: QueryContext, path: str, json_text: str = "{}", caller: Caller = Caller()) -> Answer:  # noqa: B008
        """Call a query as somebody, again whenever what it has read changes."""
        args = from_json(json_text, "the arguments")
        if self._running().engine.keyring is not None:
            return _failure(
                Forbidden("where there are keys of encrypted fields a query is run once, which is recorded")
            )
        try:
            packed = await self._running().engine.query_within(ctx, path, args, caller.identity, caller.origin)
        except FunctionError as error:
            return _failure(error)
        return Answer(result=packed_as_json(packed))

    async def run(self, ctx: ActionContext, path: str, json_text: str = "{}", caller: Caller = Caller()) -> Answer:  # noqa: B008
        """Call a function once, as somebody; what is called and as whom is written to the audit table first."""
        args, identity, origin, engine = (
            from_json(json_text, "the arguments"),
            caller.identity,
            caller.origin,
            self._running().engine,
        )
        function = self._registry.functions.get(path)
        if function is None and not path.startswith(PREFIX):
            reason = f"there is no function {path!r}{self._registry.hint(path, internal=True)}"
            return Answer(code=ErrorCode.UNKNOWN_FUNCTION, message=reason)
        kind = Kind.QUERY if function is None else function.kind
        if kind is not Kind.QUERY or engine.keyring is not None:
            await self._audit(ctx, path, caller)
        began = time.perf_counter()
        if kind is Kind.MUTATION:
            outcome = await engine.mutate(path, args, identity, origin=origin)
            await engine.wait_for(outcome.ts or 0)
        elif kind is Kind.ACTION:
            outcome = await engine.run_action(path, args, identity, origin=origin)
        else:
            outcome = await engine.query(path, args, identity, origin=origin)
        took = round((time.perf_counter() - began) * 1000, 3)
        if outcome.error is not None:
            error = outcome.error
            return _failure(FunctionError(error.code, error.message, error.data), took)
        shows = engine.keyring is None or may_open(ctx.identity)
        result = packed_as_json(outcome.packed) if shows else as_json(SEALED)
        return Answer(result=result, milliseconds=took, read=outcome.documents_read, written=outcome.documents_written)

    async def _audit(self, ctx: ActionContext, path: str, caller: Caller) -> None:
        actor = None if ctx.identity is None else ctx.identity.key

        async def write(inner: MutationContext) -> None:
            await inner.audit("operator.run", subject=path, data={"by": actor, "as": str(caller)})

        (await self._running().engine.transact(write, path="_system/functions:run")).value()


def _failure(error: FunctionError, milliseconds: float | None = None) -> Answer:
    data = None if error.data is None else as_json(error.data)
    return Answer(code=error.code, message=error.message, data=data, milliseconds=milliseconds)


def _info(function: Function, described: Described) -> FunctionInfo:
    return FunctionInfo(
        path=function.path,
        kind=function.word,
        access=access_text(function.access),
        internal=function.internal,
        docs=inspect.getdoc(function.body) or "",
        place=function.place,
        arguments_schema=json.dumps(described.arguments(function)),
        result_schema=json.dumps(described.result(function)),
        cron=None if function.cron is None else function.cron.text,
        pool=function.pool,
        isolation=function.isolation if function.kind is Kind.MUTATION else None,
    )


def _route_info(route: HttpRoute) -> FunctionInfo:
    return FunctionInfo(
        path=route.path, kind="route", access=access_text(route.access), internal=False, docs=route.summary,
        place=route.place, methods=list(route.methods), pattern=route.pattern,
    )  # fmt: skip


def _migration_info(migration: Any) -> FunctionInfo:
    return FunctionInfo(
        path=migration.path, kind="migration", access="the hubs, once", internal=True,
        docs=inspect.getdoc(migration.body) or "", place=migration.place,
    )  # fmt: skip


def access_text(access: Access) -> str:
    """Say who may call a function."""
    if access.public:
        return "everybody"
    if access.signed_in:
        return "who is signed in"
    if access.roles:
        return f"role {' or '.join(access.roles)}"
    if access.capability is not None:
        return f"capability {access.capability}"
    return "the application"
