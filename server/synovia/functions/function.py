"""Functions that clients call: the decorators, and each function's arguments and result typed by its annotations."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache, cached_property, wraps
from types import CodeType
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Literal,
    TypedDict,
    TypeVar,
    Unpack,
    get_origin,
    overload,
)

from pydantic import BaseModel, ValidationError

from synovia.errors import FunctionError, SchemaError
from synovia.functions.access import Access
from synovia.functions.annotations import hints_of
from synovia.functions.context import ActionContext, Context, MutationContext, QueryContext
from synovia.functions.creation_times import note_rows, tell_creation_times
from synovia.functions.parameters import signature_of
from synovia.functions.places import place_of
from synovia.functions.pool import Pool
from synovia.functions.references import MARK
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import queue_of
from synovia.functions.schedules import Schedule
from synovia.functions.signatures import Caller, Signature
from synovia.schema import FROM_CLIENT, Table, refusal
from synovia.schema.faults import refused_arguments
from synovia.schema.files import FROM_RESULT
from synovia_protocol import codec
from synovia_protocol.errors import ErrorCode

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
Isolation = Literal["serializable", "snapshot"]
_REST_SHARE = 60
_MOST_RESTS = 8


class Kind(StrEnum):
    """What a function may do; see docs/functions.md."""

    QUERY = "query"
    MUTATION = "mutation"
    ACTION = "action"


def a_kind(kind: Kind) -> str:
    """Name a function of a kind."""
    return f"an {kind}" if kind is Kind.ACTION else f"a {kind}"


_CONTEXTS: dict[Kind, type[Context]] = {
    Kind.QUERY: QueryContext,
    Kind.MUTATION: MutationContext,
    Kind.ACTION: ActionContext,
}
_NO_CONTEXTS = (bool, int, float, str, bytes, list, dict, tuple, set)


def _told(said: Any) -> str:
    return said.__name__ if isinstance(said, type) else str(said)


class Function:
    """One function that can be called by its path.

    Attributes:
        name: What it is called on the wire; by default as in Python.
        path: ``module:name``; the module as ``place_in`` was told when the application was loaded.
        kind: query, mutation or action.
        access: Who may call it.
        internal: Only the application itself may call it.
        isolation: What a mutation is protected against.
        retry: How often an action that was scheduled is tried again when it fails; None: never.
        pool: The line in which an action that was scheduled waits; None: the one for all.
        cron: When it is run by itself.
        rest: Seconds at least between two runs of a live query of it.
        has_room: Whether clients may be present in a query, and see each other.
        handed: How many of its first parameters the server hands it, its context first.
    """

    handed: ClassVar[int] = 1

    def __init__(
        self,
        body: Callable[..., Awaitable[Any]],
        kind: Kind,
        *,
        access: Access,
        name: str | None = None,
        isolation: Isolation = "serializable",
        retry: Retry | None = None,
        pool: str | Pool | None = None,
        timeout: timedelta | None = None,
        has_room: bool = False,
    ) -> None:
        self.name = body.__name__ if name is None else name
        self.body = body if timeout is None else _limited(self, body, timeout)
        self.kind = kind
        self.access = access
        self.internal = access.internal
        self.isolation = isolation
        self.retry = retry
        self.pool = pool.name if isinstance(pool, Pool) else pool
        self.cron: Schedule | None = None
        self.rest = 0.0
        self.has_room = has_room
        self.place_in(body.__module__.rpartition(".")[2])
        self._signature: Signature | None = None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path}>"

    @cached_property
    def place(self) -> str:
        """Where it is declared, ``FILE:LINE``."""
        return place_of(inspect.unwrap(self.body))

    def place_in(self, module: str) -> None:
        """Say the path of the module in which it is called."""
        self.module = module
        self.path = f"{module}:{self.name}"

    @property
    def word(self) -> str:
        """What people call it: its kind, or ``job`` or ``workflow``."""
        return str(self.kind)

    @property
    def queue(self) -> str:
        """The queue in which a scheduled call of it waits."""
        return "mutation" if self.kind is Kind.MUTATION else queue_of(self.pool)

    def pause_after(self, seconds: float) -> float:
        """Tell how long a live query of it waits after a run that took so long: a multiple, within bounds."""
        return 0.0 if not self.rest else min(_MOST_RESTS * self.rest, max(self.rest, _REST_SHARE * seconds))

    def prepare(self, known: Signature | None = None) -> Signature:
        """Read what it takes and gives from its annotations, once; all modules have to be loaded, so that names resolve.

        Args:
            known: What has been read of another function with the same body.

        Raises:
            SchemaError: They are not there, or cannot be.
        """
        self._signature = self._signature or known
        if self._signature is None:
            try:
                self._check_context()
                self._signature = Signature.of(self.path, self.body, by=self._caller, handed=self.handed)
            except SchemaError as error:
                raise SchemaError(f"{self.place}: {self.path}: {error}") from error
        return self._signature

    @property
    def _caller(self) -> Caller | None:
        """Who calls it whose values are not any object."""
        return None if self.internal else "client"

    def _check_context(self) -> None:
        """Refuse a body whose first argument is said to be something else than the context of its kind of function."""
        name = next(iter(signature_of(self.body).parameters))
        said = hints_of(self.body).get(name)
        handed = _CONTEXTS[self.kind]
        if isinstance(said, type) and issubclass(said, Context) and not issubclass(handed, said):
            raise SchemaError(
                f"{name!r} is said to be a {said.__name__}; that of this {self.kind} is its {handed.__name__}"
            )
        if said in _NO_CONTEXTS or get_origin(said) in _NO_CONTEXTS:
            raise SchemaError(f"the first argument is the {handed.__name__}, and {name!r} is said to be {_told(said)}")

    @property
    def _prepared(self) -> Signature:
        assert self._signature is not None, "prepare() comes first"  # noqa: S101
        return self._signature

    @property
    def arguments(self) -> type[BaseModel]:
        """The model of the arguments, names in camelCase as its aliases."""
        return self._prepared.arguments

    @property
    def returns(self) -> Any:
        """The annotation of the result."""
        return self._prepared.returns

    @property
    def rows_of(self) -> type[Table] | None:
        """The table if the result is a plain list of its rows."""
        return self._prepared.rows_of

    def validate(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the wire's arguments (camelCase) into the body's keyword arguments.

        An internal function may take an enumeration, which the values of a scheduled call stand for.

        Raises:
            InvalidArguments: They do not fit; ``data`` lists each fault with its place.
        """
        validator = (self._signature or self._prepared).arguments.__pydantic_validator__
        try:
            try:
                model = validator.validate_python(dict(args), context=FROM_CLIENT)
            except ValidationError as error:
                if not self.internal or {fault["type"] for fault in error.errors()} != {"is_instance_of"}:
                    raise
                model = validator.validate_python(dict(args), context=FROM_CLIENT, strict=False)
        except ValidationError as error:
            raise refused_arguments(self.path, error, self.arguments) from None
        return {**model.__dict__}

    def check(self, result: Any) -> Any:
        """Check a result against the annotation."""
        return (self._signature or self._prepared).result.validator.validate_python(result)

    def dump(self, checked: Any) -> Any:
        """Turn a checked result into wire values."""
        signature = self._signature or self._prepared
        wire = signature.result.serializer.to_python(checked, by_alias=True, exclude_none=True)
        if signature.holds_rows:
            tell_creation_times(checked, wire)
        return wire

    def kept(self, checked: Any) -> Any:
        """Turn a checked result into wire values that are kept for whoever is told later.

        Raises:
            WireValueError: It holds what cannot be sent.
        """
        wire = self.dump(checked)
        codec.pack(wire)
        return wire

    def bind(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give arguments as Python would hand them to the body, by their names there.

        Raises:
            TypeError: The body does not take these.
        """
        try:
            bound = signature_of(self.body).bind(*[None] * self.handed, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.path}: {error}") from None
        return dict(list(bound.arguments.items())[self.handed :])

    def send(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Turn arguments by their Python names into what a client would send.

        Raises:
            InvalidArguments: They do not fit.
        """
        try:
            model = self.arguments.model_validate(dict(values), by_name=True, by_alias=False)
        except ValidationError as error:
            raise refusal(self.path, error) from None
        sent: dict[str, Any] = model.model_dump(by_alias=True, exclude_unset=True)
        return sent

    def receive(self, wire: Any) -> Any:
        """Turn a result on the wire into what the body gave."""
        result = self._prepared.result.validate_python(wire, strict=False, context=FROM_RESULT)
        if self._prepared.holds_rows:
            note_rows(result, wire)
        return result


def _limited(
    function: Function, body: Callable[..., Awaitable[Any]], limit: timedelta
) -> Callable[..., Awaitable[Any]]:
    """Have a body be cancelled where it waits once it has run so long."""

    @wraps(body)
    async def run(*args: Any, **kwargs: Any) -> Any:
        seconds = limit.total_seconds()
        try:
            async with asyncio.timeout(seconds) as ends:
                return await body(*args, **kwargs)
        except TimeoutError as error:
            if not ends.expired():  # its own
                raise
            text = f"{function.path} took longer than {seconds:g} s, and was cancelled where it waited"
            raise FunctionError(ErrorCode.TIMEOUT, text, {"seconds": seconds}) from error

    return run


QueryBody = TypeVar("QueryBody", bound=Callable[Concatenate[QueryContext, ...], Awaitable[Any]])
MutationBody = TypeVar("MutationBody", bound=Callable[Concatenate[MutationContext, ...], Awaitable[Any]])
ActionBody = TypeVar("ActionBody", bound=Callable[Concatenate[ActionContext, ...], Awaitable[Any]])


class AccessWords(TypedDict, total=False):
    """Who may call a function: exactly one of these; see ``Access``."""

    public: bool
    signed_in: bool
    role: str | tuple[str, ...]
    capability: str
    internal: bool


def access_of(decorator: str, words: AccessWords) -> Access:
    """Take who may call a function, from what else its decorator was given.

    Raises:
        SchemaError: It is no word of that.
    """
    unknown = sorted(words.keys() - AccessWords.__annotations__.keys())
    if unknown:
        raise SchemaError(
            f"{decorator} takes no {', '.join(unknown)}; who may call it, {', '.join(AccessWords.__annotations__)} say"
        )
    return Access.of(**words)


@overload
def query(body: QueryBody, /) -> QueryBody: ...
@overload
def query(
    *, name: str | None = None, presence: bool = False, **access: Unpack[AccessWords]
) -> Callable[[QueryBody], QueryBody]: ...
def query(
    body: Any = None, /, *, name: str | None = None, presence: bool = False, **access: Unpack[AccessWords]
) -> Any:
    """Declare a query: it reads, is tracked, and is run again when what it read has changed.

    It must be deterministic: the same database and arguments give the same result.

    Args:
        name: What it is called on the wire, if not as in Python.
        presence: Whether clients may be present in it: each who may call it with the same arguments is in one room, and what
            it gives is what the others see of who that is.
        access: Who may call it, as in ``Access``; one that does not say is refused at start.
    """
    return _declare(body, Kind.QUERY, access, name=name, has_room=presence)


@overload
def mutation(body: MutationBody, /) -> MutationBody: ...
@overload
def mutation(
    *, name: str | None = None, isolation: Isolation = "serializable", **access: Unpack[AccessWords]
) -> Callable[[MutationBody], MutationBody]: ...
def mutation(
    body: Any = None,
    /,
    *,
    name: str | None = None,
    isolation: Isolation = "serializable",
    **access: Unpack[AccessWords],
) -> Any:
    """Declare a mutation: it reads and writes in one transaction, and is run again on a conflict.

    Args:
        name: What it is called on the wire, if not as in Python.
        isolation: ``serializable``: as if mutations ran one after the other. ``snapshot``: all reads are of one instant
            and no write of another is lost, but what was only read may have changed by the time of the commit (write
            skew); fewer conflicts for mutations that read much and write little.
        access: Who may call it, as in ``Access``.
    """
    return _declare(body, Kind.MUTATION, access, name=name, isolation=isolation)


@overload
def action(body: ActionBody, /) -> ActionBody: ...
@overload
def action(
    *,
    name: str | None = None,
    retry: Retry | None = None,
    pool: str | Pool | None = None,
    timeout: timedelta | None = None,
    **access: Unpack[AccessWords],
) -> Callable[[ActionBody], ActionBody]: ...
def action(
    body: Any = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    pool: str | Pool | None = None,
    timeout: timedelta | None = None,
    **access: Unpack[AccessWords],
) -> Any:
    """Declare an action: it may talk to the world, and calls queries and mutations.

    Args:
        name: What it is called on the wire, if not as in Python.
        retry: How often it is tried again when it was scheduled and fails; without, as when somebody calls it, never.
        pool: The ``Pool`` in which it waits when it was scheduled, or its name; without, it is in the line of all others.
        timeout: When this has passed it is cancelled where it waits, and has failed with ``timeout``; without, never.
        access: Who may call it, as in ``Access``.
    """
    if timeout is not None and not (isinstance(timeout, timedelta) and timeout > timedelta()):
        raise SchemaError("@action: timeout is a timedelta of more than nothing")
    return _declare(body, Kind.ACTION, access, name=name, retry=retry, pool=pool, timeout=timeout)


class _Options(TypedDict, total=False):
    name: str | None
    isolation: Isolation
    retry: Retry | None
    pool: str | Pool | None
    timeout: timedelta | None
    has_room: bool


def _declare(body: Any, kind: Kind, access: AccessWords, **options: Unpack[_Options]) -> Any:
    def mark(body: Any) -> Any:
        if not inspect.iscoroutinefunction(body):
            raise SchemaError(f"{body.__name__}: a {kind} is an async function")
        if not signature_of(body).parameters:
            raise SchemaError(f"{body.__name__}: the first argument of a {kind} is its {_CONTEXTS[kind].__name__}")
        try:
            allowed = access_of(f"@{kind}", access)
        except SchemaError as error:
            raise SchemaError(f"{body.__name__}: {error}") from None
        name = options.get("name")
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise SchemaError(f"{body.__name__}: {name!r} cannot be its name: letters, digits and underscores can")
        setattr(body, MARK, Function(body, kind, access=allowed, **options))
        return body

    return mark if body is None else mark(body)


async def _work(ctx: MutationContext, work: Any) -> Any:
    return await work(ctx)


@cache
def function_for_work(path: str, isolation: Isolation = "serializable") -> Function:
    """Give the mutation that does what its argument ``work`` says, for transactions of the server's own."""
    function = Function(_work, Kind.MUTATION, access=Access(internal=True), isolation=isolation)
    function.path = path
    function.prepare()
    return function


_signatures: dict[CodeType, Signature] = {}


def query_of_the_hub(path: str, body: Callable[[QueryContext], Awaitable[Any]]) -> Function:
    """Declare a query that the hub itself asks; what is made anew of one piece of code for each hub is read once."""
    function = Function(body, Kind.QUERY, access=Access(internal=True))
    function.path = path
    code: CodeType = inspect.unwrap(body).__code__
    _signatures[code] = function.prepare(_signatures.get(code))
    return function


def function_of(value: object) -> Function | None:
    """Tell which function a decorated body declares; None for anything else."""
    return getattr(value, MARK, None)
