"""Running a workflow from its beginning against its journal: a function of both, which waits for nothing and does nothing.

The workflow runs on an event loop of its own, in a thread, so that whatever it does holds up nobody. What has come of its
steps is handed to it one by one, in the order in which that was first seen; in between it runs until it waits for
everything it has begun. So it begins the same steps in the same order each time, also where it does several at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from synovia.errors import FunctionError
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import CallError, ScheduledCall
from synovia.functions.workflow import WorkflowContext, WorkflowFunction

WORKFLOW_CHANGED: Final = "workflow_changed"
"""The code of a workflow that does something else than its journal says."""
MOST_STEPS: Final = 1_000
CANCEL: Final = -1
Kind = Literal["step", "sleep", "event"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What has come of a step, or ``CANCEL`` as its number."""

    number: int
    result: Any = None
    error: CallError | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What a workflow has begun in this turn.

    Attributes:
        name: The path of a step, the name of an event.
        call: Of a step: what is to be scheduled.
        delay: Of a sleep, in milliseconds.
    """

    kind: Kind
    name: str
    call: ScheduledCall | None = None
    delay: int = 0


@dataclass(slots=True)
class Turn:
    """What a workflow has done until it waits, or has ended.

    Attributes:
        known: How many steps the journal has already; those in ``begun`` follow.
        given_up: The numbers of those for which it does not wait any more.
        ended: Whether it has come to its end, by itself or cancelled.
        result: What it gave, as wire values.
    """

    known: int
    begun: list[Begun] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    ended: Literal["done", "cancelled"] | None = None
    result: Any = None


Prepare = Callable[[str, Mapping[str, Any], Retry | None], ScheduledCall]
"""Makes the call that is a step, or raises FunctionError."""


def _not_here(*args: object, **options: object) -> Any:
    raise FunctionError("not_in_a_workflow", "a workflow waits by ctx.sleep, and does everything else in its steps")


class _Loop(asyncio.AbstractEventLoop):
    """Runs tasks until all of them wait; there is no time on it and no world."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self.tasks: list[asyncio.Task[Any]] = []

    def run(self) -> None:
        asyncio._set_running_loop(self)
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def close(self) -> None:
        """Leave what waits as it is: nothing of it goes on."""
        for task in self.tasks:
            with suppress(RuntimeError):
                if not task.done() and (body := task.get_coro()) is not None:
                    body.close()

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        options.pop("eager_start", None)
        task = asyncio.Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def call_exception_handler(self, context: Any) -> None:
        """Nobody is told of tasks that still wait when a turn is over."""

    time = call_later = call_at = run_in_executor = _not_here


class _Journal:
    def __init__(self, loop: _Loop, known: Sequence[tuple[Kind, str]], prepare: Prepare) -> None:
        self._loop = loop
        self._known = known
        self._prepare = prepare
        self.waits: list[asyncio.Future[Any]] = []
        self.begun: list[Begun] = []
        self.fault: FunctionError | None = None

    def step(self, path: str, args: Mapping[str, Any], retry: Retry | None) -> asyncio.Future[Any]:
        return self._begin("step", path, lambda: Begun("step", path, call=self._prepare(path, args, retry)))

    def sleep(self, milliseconds: int) -> asyncio.Future[Any]:
        return self._begin("sleep", "", lambda: Begun("sleep", "", delay=milliseconds))

    def event(self, name: str) -> asyncio.Future[Any]:
        return self._begin("event", name, lambda: Begun("event", name))

    def _begin(self, kind: Kind, name: str, make: Callable[[], Begun]) -> asyncio.Future[Any]:
        number = len(self.waits)
        if number >= MOST_STEPS:
            raise FunctionError("limit_exceeded", f"a workflow has at most {MOST_STEPS:,} steps")
        if number >= len(self._known):
            self.begun.append(make())
        elif self._known[number] != (kind, name):
            raise self.changed(number, f"{kind} {name}".strip())
        self.waits.append(self._loop.create_future())
        return self.waits[-1]

    def changed(self, number: int, now: str) -> FunctionError:
        """Note that a workflow does something else now than its journal says."""
        before = " ".join(self._known[number]).strip()
        text = (
            f"what this workflow did as number {number + 1} was {before}, and is {now} now: its code has changed, or it"
        )
        self.fault = self.fault or FunctionError(WORKFLOW_CHANGED, f"{text} looks at what is not the same each time")
        return self.fault


def replay(
    function: WorkflowFunction, args: Mapping[str, Any], known: Sequence[tuple[Kind, str]], arrived: Sequence[Arrival],
    prepare: Prepare,
) -> Turn:  # fmt: skip
    """Run a workflow as far as it comes.

    Args:
        args: As the body takes them.
        known: What it has begun before, in that order.
        arrived: What has come of that, in the order in which it was seen.

    Raises:
        FunctionError: It raises that; or ``workflow_changed``.
        Exception: It fails.
    """
    loop = _Loop()  # type: ignore[abstract]
    journal = _Journal(loop, known, prepare)
    context = WorkflowContext(journal)
    main = loop.create_task(_drive(function, context, args))
    try:
        loop.run()
        for each in arrived:
            _hand_over(each, journal, main)
            loop.run()
        _check(journal, known, main)
        turn = Turn(len(known), journal.begun)
        turn.given_up = [number for number, each in enumerate(journal.waits) if each.cancelled()]
        if main.done():
            turn.ended, turn.result = _end_of(main, function)
        return turn
    finally:
        loop.close()


async def _drive(function: WorkflowFunction, context: WorkflowContext, args: Mapping[str, Any]) -> Any:
    try:
        return await function.body(context, **args)
    except (Exception, asyncio.CancelledError):
        await context.take_back()
        raise


def _hand_over(each: Arrival, journal: _Journal, main: asyncio.Task[Any]) -> None:
    if each.number == CANCEL:
        main.cancel()
    elif each.number >= len(journal.waits):
        journal.changed(each.number, "nothing")
    elif not (wait := journal.waits[each.number]).done():
        if each.error is None:
            wait.set_result(each.result)
        else:
            wait.set_exception(FunctionError(each.error.code, each.error.message))


def _check(journal: _Journal, known: Sequence[object], main: asyncio.Task[Any]) -> None:
    if journal.fault is None and len(journal.waits) < len(known):
        journal.changed(len(journal.waits), "nothing")
    if journal.fault is not None:
        if main.done() and not main.cancelled():
            main.exception()  # looked at
        raise journal.fault


def _end_of(main: asyncio.Task[Any], function: WorkflowFunction) -> tuple[Literal["done", "cancelled"], Any]:
    if main.cancelled():
        return "cancelled", None
    return "done", function.dump(function.check(main.result()))
