"""What happens in an engine, told to whoever counts or keeps it; the engine itself knows no way of doing so."""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from synovia.engine.outcomes import Outcome
from synovia.engine.tracing import Tracer
from synovia.functions.function import Function
from synovia.functions.scheduling_cause import SchedulingCause, cause_of_calls
from synovia.identity import Identity
from synovia_protocol.errors import ErrorInfo

OK = "ok"
CANCELLED = "cancelled"
"""Whoever asked gave up, or its time was over."""
FAILED = "failed"
"""It raised what no call may raise."""

P = ParamSpec("P")
F = TypeVar("F", bound="str | Function")


@dataclass(slots=True)
class EndedCall:
    """A call by a client, a service, a schedule or another function.

    Attributes:
        number: Of this call; the later it began, the greater.
        parent: Of the action that made it; None if nobody inside did.
        kind: ``query``, ``mutation``, ``action`` or ``route``.
        path: As it was asked for: there may be no such function.
        caller: Whoever is signed in.
        word: ``ok``, the code of its error, ``cancelled`` or ``failed``.
        seconds: From the question to the answer; of a mutation with its commit.
        outcome: What came of it; None if it raised.
        scheduled: The ids of the calls that it has scheduled.
        runs: The id of the scheduled call that this is the run of.
        inside: The application itself called it: a function of its own, a schedule or a cron.
    """

    number: int
    parent: int | None
    kind: str
    path: str
    caller: Identity | None
    word: str
    seconds: float
    outcome: Outcome | None
    scheduled: Sequence[str] = ()
    runs: str | None = None
    inside: bool = False


class Observer(Protocol):
    """Is told of calls and runs when they end; called often, so it must be cheap and must not raise."""

    def call_ended(self, call: EndedCall) -> None:
        """Hear of a call."""
        ...

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Hear of a run of a live query."""
        ...

    def failed(self, reference: str, error: Exception) -> None:
        """Hear of an exception of a function's, with the reference that callers are told."""
        ...


class Unobserved:
    """Nobody counts."""

    def call_ended(self, call: EndedCall) -> None:
        """Pass over it."""

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Pass over it."""

    def failed(self, reference: str, error: Exception) -> None:
        """Pass over it."""


class Observers:
    """Tells several."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def call_ended(self, call: EndedCall) -> None:
        """Tell all of it."""
        for observer in self._observers:
            observer.call_ended(call)

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Tell all of it."""
        for observer in self._observers:
            observer.run_ended(path, outcome, seconds)

    def failed(self, reference: str, error: Exception) -> None:
        """Tell all of it."""
        for observer in self._observers:
            observer.failed(reference, error)


class Observed(Protocol):
    """Has an observer."""

    @property
    def observer(self) -> Observer:
        """Who is told."""
        ...

    @property
    def tracer(self) -> Tracer:
        """Who makes spans of its calls."""
        ...


S = TypeVar("S", bound=Observed)
Method = Callable[Concatenate[S, F, P], Coroutine[Any, Any, Outcome]]
_numbers = itertools.count(1)


def observed(kind: str) -> Callable[[Method[S, F, P]], Method[S, F, P]]:
    """Have the observer told of each call of a method: of a function or its path, with arguments, by an identity."""

    def around(method: Method[S, F, P]) -> Method[S, F, P]:
        @functools.wraps(method)
        async def call(self: S, asked: F, /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
            began, word, outcome = time.perf_counter(), FAILED, None
            cause, own = cause_of_calls.get(), SchedulingCause(next(_numbers))
            inside = cause_of_calls.set(own)
            path, runs = asked if isinstance(asked, str) else asked.path, None if cause is None else cause.runs
            try:
                with self.tracer.call(kind, path, runs) as span:
                    try:
                        outcome = await method(self, asked, *args, **kwargs)
                        word = word_of(outcome.error)
                        return outcome
                    except asyncio.CancelledError:
                        word = CANCELLED
                        raise
                    finally:
                        span.ended(word, own.scheduled)
            finally:
                cause_of_calls.reset(inside)
                caller = args[1] if len(args) > 1 and isinstance(args[1], Identity) else None
                seconds = time.perf_counter() - began
                self.observer.call_ended(
                    EndedCall(
                        own.number or 0, None if cause is None else cause.number, kind, path, caller, word, seconds,
                        outcome, own.scheduled, runs, cause is not None,
                    )
                )  # fmt: skip

        return call

    return around


def word_of(error: ErrorInfo | None) -> str:
    """Name what came of a call or a run."""
    return OK if error is None else str(error.code)
