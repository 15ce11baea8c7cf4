"""What happens in an engine, told to whoever counts it; the engine itself knows no way of counting."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from synovia.engine.outcomes import Outcome
from synovia.functions.function import Function
from synovia_protocol.errors import ErrorInfo

OK = "ok"
CANCELLED = "cancelled"
"""Whoever asked gave up, or its time was over."""
FAILED = "failed"
"""It raised what no call may raise."""

P = ParamSpec("P")
F = TypeVar("F", bound="str | Function")


class Observer(Protocol):
    """Is told of calls and runs when they end; called often, so it must be cheap and must not raise."""

    def call_ended(self, kind: str, path: str, outcome: str, seconds: float) -> None:
        """Hear of a call by a client, a service, a schedule or another function.

        Args:
            kind: ``query``, ``mutation``, ``action`` or ``route``.
            path: As it was asked for: there may be no such function.
            outcome: ``ok``, the code of its error, ``cancelled`` or ``failed``.
            seconds: From the question to the answer; of a mutation with its commit.
        """
        ...

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Hear of a run of a live query."""
        ...


class Unobserved:
    """Nobody counts."""

    def call_ended(self, kind: str, path: str, outcome: str, seconds: float) -> None:
        """Pass over it."""

    def run_ended(self, path: str, outcome: str, seconds: float) -> None:
        """Pass over it."""


class Observed(Protocol):
    """Has an observer."""

    @property
    def observer(self) -> Observer:
        """Who is told."""
        ...


S = TypeVar("S", bound=Observed)
Method = Callable[Concatenate[S, F, P], Coroutine[Any, Any, Outcome]]


def observed(kind: str) -> Callable[[Method[S, F, P]], Method[S, F, P]]:
    """Have the observer told of each call of a method, whose first argument is a function or its path."""

    def around(method: Method[S, F, P]) -> Method[S, F, P]:
        @functools.wraps(method)
        async def call(self: S, asked: F, /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
            began, word = time.perf_counter(), FAILED
            try:
                outcome = await method(self, asked, *args, **kwargs)
                word = word_of(outcome.error)
                return outcome
            except asyncio.CancelledError:
                word = CANCELLED
                raise
            finally:
                path = asked if isinstance(asked, str) else asked.path
                self.observer.call_ended(kind, path, word, time.perf_counter() - began)

        return call

    return around


def word_of(error: ErrorInfo | None) -> str:
    """Name what came of a call or a run."""
    return OK if error is None else str(error.code)
