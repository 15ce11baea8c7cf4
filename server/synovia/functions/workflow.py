"""``@workflow``: durable functions of steps, and what they are given as their first argument."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from synovia.errors import InvalidArguments, SchemaError
from synovia.functions.access import Access
from synovia.functions.awaiting import awaited
from synovia.functions.elsewhere import tell_elsewhere
from synovia.functions.function import Function, Kind
from synovia.functions.parameters import signature_of
from synovia.functions.references import MARK, declared_by
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import WORKFLOWS
from synovia.functions.signatures import Caller

P = ParamSpec("P")
R = TypeVar("R")
_MS = timedelta(milliseconds=1)
_LONGEST = timedelta(days=365_250)


class Journaled(Protocol):
    """Does what a workflow asks for once, and from then on gives what came of it."""

    def step(self, path: str, args: Mapping[str, Any], retry: Retry | None) -> Awaitable[Any]: ...

    def sleep(self, milliseconds: int) -> Awaitable[Any]: ...

    def event(self, name: str) -> Awaitable[Any]: ...


class WorkflowContext:
    """What a workflow is given: the ways to do something and to wait; everything else it does in its steps."""

    def __init__(self, journal: Journaled, retry: Retry | None = None) -> None:
        self._journal = journal
        self._retry = retry
        self._undo: list[Callable[[], Awaitable[Any]]] = []

    def with_options(self, *, retry: Retry | None) -> WorkflowContext:
        """Give the same with another policy of trying again for the actions that are its steps."""
        other = WorkflowContext(self._journal, retry)
        other._undo = self._undo
        return other

    @overload
    def step(self, function: str, args: Mapping[str, Any] | None = None, /) -> Coroutine[Any, Any, Any]: ...
    @overload
    def step(
        self, function: Callable[Concatenate[Any, P], Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]: ...
    @awaited("ctx.step")
    async def step(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have a mutation, an action or another workflow run, and give its result.

        A mutation runs exactly once, an action by its policy of trying again, in its pool. Steps that are to run at the same
        time are awaited together, with ``asyncio.gather`` or a ``TaskGroup``.

        Args:
            function: The function, or its path.
            args: What it takes; with a path, a map as a client would send it.

        Raises:
            FunctionError: The step has failed for good, with its code; or it cannot be called so.
        """
        declared = declared_by(function)
        if declared is None:
            return await self._journal.step(function, *_map(args, kwargs), self._retry)
        sent = declared.send(declared.bind(*args, **kwargs))
        return declared.receive(await self._journal.step(declared.path, sent, self._retry))

    @awaited("ctx.sleep")
    async def sleep(self, delay: timedelta) -> None:
        """Go on when so long has passed, whatever hub is there then.

        Raises:
            InvalidArguments: It is no ``timedelta``, a negative one, or one of more than a thousand years.
        """
        if not isinstance(delay, timedelta) or delay < timedelta():
            raise InvalidArguments("ctx.sleep takes a timedelta that is not negative")
        if delay > _LONGEST:
            raise InvalidArguments(f"ctx.sleep takes {_LONGEST.days:,} days at most")
        await self._journal.sleep(-(-delay // _MS))

    @awaited("ctx.wait_for_event")
    async def wait_for_event(self, name: str) -> Any:
        """Wait until ``ctx.scheduler.send_event`` has sent an event of this name, and give what came with it.

        What was sent before is kept; each event is given to one who waits.
        """
        if not isinstance(name, str) or not name:
            raise InvalidArguments("an event has a name")
        return await self._journal.event(name)

    def compensate(
        self, function: Callable[Concatenate[Any, P], Awaitable[Any]], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Say what takes back what has been done, as a step: if the workflow fails or is cancelled from here on.

        What was said last is done first. One that fails keeps nobody from doing the others. Say it right behind the step
        that it takes back: a workflow that is resumed goes on with the first step that was taken back.
        """
        self._undo.append(lambda: self.step(function, *args, **kwargs))

    @property
    def has_to_take_back(self) -> bool:
        """Whether something was said to ``compensate``; for the server's own parts."""
        return bool(self._undo)

    async def take_back(self) -> None:
        """Do what was said to ``compensate``; for the server's own parts."""
        while self._undo:
            try:
                await self._undo.pop()()
            except Exception:  # it stands in the journal
                continue


tell_elsewhere(
    WorkflowContext,
    ["db", "now", "random", "scheduler", "mail", "run_query", "run_mutation", "run_action", "identity"],
    "a workflow has no ctx.{name}: it does everything in its steps, by ctx.step",
)


def _map(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Mapping[str, Any]]:
    if kwargs or len(args) > 1 or not all(isinstance(each, Mapping) for each in args):
        raise TypeError("with a path, a step takes one map of arguments")
    return (args[0] if args else {},)


class WorkflowFunction(Function):
    """What a decorated workflow declares."""

    def __init__(self, body: Callable[..., Awaitable[Any]]) -> None:
        super().__init__(body, Kind.MUTATION, access=Access(internal=True))

    @property
    def queue(self) -> str:
        return WORKFLOWS

    @property
    def _caller(self) -> Caller:
        return "schedule"

    @property
    def word(self) -> str:
        return "workflow"


WorkflowBody = TypeVar("WorkflowBody", bound=Callable[Concatenate[WorkflowContext, ...], Awaitable[Any]])


def workflow(body: WorkflowBody, /) -> WorkflowBody:
    """Declare a workflow: ``async def function(ctx: WorkflowContext, ...)``, a function that outlives hubs.

    It is scheduled like any call (``ctx.scheduler.run_after``). What its steps gave is kept in the database. Between
    them the function waits in a hub's memory; another hub, or one that was started anew, runs it again from its beginning,
    and gives it for the steps that are over what they gave. So it must do the same again: time, chance, the database and
    the world are for its steps.

    Raises:
        SchemaError: It is no async function with a context.
    """
    given: object = body
    if not inspect.iscoroutinefunction(given) or not signature_of(given).parameters:
        name = getattr(body, "__name__", repr(body))
        raise SchemaError(f"{name}: a workflow is an async function whose first argument is its WorkflowContext")
    setattr(body, MARK, WorkflowFunction(body))
    return body
