"""Running a workflow against its journal: a function of both, which waits for nothing and does nothing.

The workflow runs on an event loop of its own, in a thread, so that whatever it does holds up nobody. What has come of its
steps is handed to it one by one, in the order in which that was first seen; in between it runs until it waits for
everything it has begun. So it begins the same steps in the same order each time, also where it does several at once; and
it is the same whether it has waited in memory since its last turn, or is run from its beginning with all that has come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Final, Literal

from synovia.errors import FunctionError
from synovia.functions.awaiting import RunCalls, ended_oddly
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
        compensates: Whether it takes back what was done before.
    """

    kind: Kind
    name: str
    call: ScheduledCall | None = None
    delay: int = 0
    compensates: bool = False


@dataclass(slots=True)
class Turn:
    """What a workflow has done until it waits, or has ended.

    Attributes:
        known: How many steps the journal has already; those in ``begun`` follow.
        again: What has to be begun once more, by its number.
        given_up: The numbers of those for which it does not wait any more, and has not been said before.
        ended: Whether it has come to its end, by itself or cancelled.
        result: What it gave, as wire values.
    """

    known: int
    begun: list[Begun] = field(default_factory=list)
    again: dict[int, Begun] = field(default_factory=dict)
    given_up: list[int] = field(default_factory=list)
    ended: Literal["done", "cancelled"] | None = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a workflow goes on that has failed or was cancelled.

    Attributes:
        seen: So many of what has come is as if it had come again.
        begun: So many steps it had begun by then; those behind them it begins anew.
        was_taken_back: Whether what was done later counts for nothing.
    """

    seen: int
    begun: int
    was_taken_back: bool


Prepare = Callable[[str, Mapping[str, Any], Retry | None], ScheduledCall]
"""Makes the call that is a step, or raises FunctionError."""


def _not_here(*args: object, **options: object) -> Any:
    raise FunctionError("not_in_a_workflow", "a workflow waits by ctx.sleep, and does everything else in its steps")


class _Loop(asyncio.AbstractEventLoop):
    """Runs tasks until all of them wait; there is no time on it and no world."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def run(self) -> None:
        asyncio._set_running_loop(self)
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    with suppress(SystemExit, KeyboardInterrupt):  # its task has it, and whoever awaits that
                        handle._run()
        finally:
            asyncio._set_running_loop(None)

    def close(self) -> None:
        """Leave what waits as it is: nothing of it goes on."""
        for task in [*self.tasks]:
            with suppress(Exception):
                if (body := task.get_coro()) is not None:
                    body.close()
        for task in self.tasks:
            task.cancel()  # or it and what it waits for would hold each other, and the run in which this was replayed
        self.tasks.clear()
        self._ready.clear()

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
        self.tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def call_exception_handler(self, context: Any) -> None:
        """Nobody is told of tasks that still wait when a turn is over."""

    time = call_later = call_at = run_in_executor = _not_here


class _Journal:
    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._known: list[tuple[Kind, str]] = []
        self._prepare: Prepare = _not_here
        self._to_begin_again: Container[int] = ()
        self.takes_back = False
        self.waits: list[asyncio.Future[Any]] = []
        self.begun: list[Begun] = []
        self.again: dict[int, Begun] = {}
        self.fault: FunctionError | None = None

    def expect(
        self, known: Iterable[tuple[Kind, str]], prepare: Prepare, to_begin_again: Container[int] = ()
    ) -> None:  # fmt: skip
        """Have what follows be this at first, and then something new."""
        self._known += known
        self._prepare, self._to_begin_again = prepare, to_begin_again
        self.begun, self.again = [], {}

    def noted(self) -> None:
        """Know what was begun from now on."""
        self._known += [(each.kind, each.name) for each in self.begun]
        self._prepare = _not_here

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
            self.begun.append(replace(make(), compensates=self.takes_back))
        elif self._known[number] != (kind, name):
            raise self.changed(number, f"{kind} {name}".strip())
        elif number in self._to_begin_again:
            self.again[number] = make()
        self.waits.append(self._loop.create_future())
        return self.waits[-1]

    def check_all_came(self) -> None:
        """Note a fault if it has not begun all that is known."""
        if self.fault is None and len(self.waits) < len(self._known):
            self.changed(len(self.waits), "nothing")

    def changed(self, number: int, now: str) -> FunctionError:
        """Note that a workflow does something else now than its journal says."""
        before = " ".join(self._known[number]).strip()
        text = (
            f"what this workflow did as number {number + 1} was {before}, and is {now} now: its code has changed, or it"
        )
        self.fault = self.fault or FunctionError(WORKFLOW_CHANGED, f"{text} looks at what is not the same each time")
        return self.fault


class Execution:
    """A workflow on its loop, which waits there between its turns.

    What it has begun in one turn goes into the next one with what has come of it.

    Args:
        args: As the body takes them.
    """

    def __init__(self, function: WorkflowFunction, args: Mapping[str, Any]) -> None:
        self._function = function
        self._loop = _Loop()  # type: ignore[abstract]
        self._journal = _Journal(self._loop)
        self._given_up: set[int] = set()
        self._around = Context()  # not that of the turn in which it is begun, which would be held as long as it waits
        context = WorkflowContext(self._journal)
        self._calls = RunCalls(context)
        self._around.run(self._calls.__enter__)
        self._main = self._loop.create_task(_drive(function, context, self._journal, args), context=self._around)
        self._advancing = Lock()
        self._is_over = False

    def advance(
        self, arrived: Sequence[Arrival], prepare: Prepare, known: Sequence[tuple[Kind, str]] = (),
        to_begin_again: Container[int] = (),
    ) -> Turn:  # fmt: skip
        """Run it as far as it comes. When it has ended, or this raises something, nothing more can be done with it.

        Args:
            arrived: What has come since its last turn, in the order in which it was seen.
            known: In its first turn: what it has begun before, in that order.
            to_begin_again: The numbers of what is known and has to be begun once more.

        Raises:
            FunctionError: It raises that; or ``workflow_changed``.
            Exception: It fails.
        """
        with self._advancing:
            try:
                self._journal.expect(known, prepare, to_begin_again)
                self._loop.run()
                for each in arrived:
                    _hand_over(each, self._journal, self._main)
                    self._loop.run()
                return self._turn()
            except Exception as error:
                self._is_over = True
                self._calls.explain(error)
                raise
            finally:
                if self._is_over:
                    self._close()

    def _turn(self) -> Turn:
        journal, main = self._journal, self._main
        _check(journal, main)
        self._calls.check(None)
        turn = Turn(len(journal.waits) - len(journal.begun), journal.begun, journal.again)
        cancelled = {number for number, each in enumerate(journal.waits) if each.cancelled()}
        turn.given_up = sorted(cancelled - self._given_up)
        self._given_up = cancelled
        journal.noted()
        if main.done():
            turn.ended, turn.result = _end_of(main, self._function)
            self._is_over = True
        return turn

    def close(self) -> None:
        """Leave what waits as it is: nothing of it goes on. While it runs in another thread, at the end of that."""
        self._is_over = True
        if self._advancing.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._advancing.release()

    def _close(self) -> None:
        self._around.run(self._loop.close)
        self._calls.leave()
        self._around.run(self._calls.__exit__, None, None, None)


async def _drive(
    function: WorkflowFunction, context: WorkflowContext, journal: _Journal, args: Mapping[str, Any]
) -> Any:  # fmt: skip
    try:
        return await _body(function, context, args)
    except (Exception, asyncio.CancelledError):
        journal.takes_back = True
        await context.take_back()
        raise


async def _body(function: WorkflowFunction, context: WorkflowContext, args: Mapping[str, Any]) -> Any:
    """Run it; what is no error fails it all the same, and does not end the hub.

    Raises:
        EndedOddly: In place of that.
    """
    try:
        return await function.body(context, **args)
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:
        if not isinstance(asyncio._get_running_loop(), _Loop):
            raise  # it does not run: it is closed
        raise ended_oddly(error) from error


def find_cut(
    function: WorkflowFunction, args: Mapping[str, Any], known: Sequence[tuple[Kind, str]], arrived: Sequence[Arrival],
    prepare: Prepare,
) -> Cut | None:  # fmt: skip
    """Tell where a workflow goes on that has failed or was cancelled; None: from where it is.

    That is before the first step that was taken back, which is the one whose end it saw last when it first said
    ``compensate``; if nothing was, before the failure that has ended it; or before it was cancelled.

    Args:
        known: What it had begun, without what took back.

    Raises:
        FunctionError: ``workflow_changed``.
    """
    loop = _Loop()  # type: ignore[abstract]
    journal = _Journal(loop)
    journal.expect(known, prepare)
    context = WorkflowContext(journal)
    main = loop.create_task(_body(function, context, args))
    begun: list[int] = []  # before each of what has come
    taken_back: int | None = None
    try:
        loop.run()
        taken_back = 0 if context.has_to_take_back else None
        for place, each in enumerate(arrived):
            if main.done():
                break
            begun.append(len(journal.waits))
            _hand_over(each, journal, main)
            loop.run()
            if taken_back is None and context.has_to_take_back:
                taken_back = place
        _check(journal, main)
        return _cut_of(main, journal, arrived, begun, taken_back)
    finally:
        loop.close()


def _cut_of(
    main: asyncio.Task[Any], journal: _Journal, arrived: Sequence[Arrival], begun: Sequence[int], taken_back: int | None
) -> Cut | None:
    if not main.done() or (not main.cancelled() and main.exception() is None):
        return None
    if taken_back is not None:
        return Cut(taken_back, begun[taken_back] if begun else 0, was_taken_back=True)
    if main.cancelled():
        why = [place for place, each in enumerate(arrived[: len(begun)]) if each.number == CANCEL]
    else:
        causes = {id(each) for each in _causes(main.exception())}
        failed = ((place, each.number) for place, each in enumerate(arrived[: len(begun)]) if each.error is not None)
        why = [place for place, number in failed if id(_raised(journal.waits[number])) in causes]
    if not why:
        return Cut(len(begun), len(journal.waits), was_taken_back=False)
    return Cut(why[0], begun[why[0]], was_taken_back=False)


def _raised(wait: asyncio.Future[Any]) -> BaseException | None:
    return wait.exception() if wait.done() and not wait.cancelled() else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error, and those of which it speaks."""
    rest, met = [error], set[int]()
    while rest:
        if (each := rest.pop()) is None or id(each) in met:
            continue
        met.add(id(each))
        yield each
        rest += [each.__cause__, each.__context__, *(each.exceptions if isinstance(each, BaseExceptionGroup) else ())]


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


def _check(journal: _Journal, main: asyncio.Task[Any]) -> None:
    journal.check_all_came()
    if journal.fault is not None:
        if main.done() and not main.cancelled():
            main.exception()  # looked at
        raise journal.fault


def _end_of(main: asyncio.Task[Any], function: WorkflowFunction) -> tuple[Literal["done", "cancelled"], Any]:
    if main.cancelled():
        return "cancelled", None
    return "done", function.kept(function.check(main.result()))
