"""Which call a function runs in: so that one request can be followed to the calls that it has scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class SchedulingCause:
    """A call that is under way.

    Attributes:
        number: Of the call; None: it is only about to begin.
        runs: The id of the scheduled call that is run in it; None: of none, or of a cron, whose mutations are no calls that
            were scheduled.
        scheduled: The ids of those that it has scheduled.
    """

    number: int | None = None
    runs: str | None = None
    scheduled: Sequence[str] = ()


cause_of_calls: ContextVar[SchedulingCause | None] = ContextVar("cause_of_calls", default=None)


@contextmanager
def running_scheduled(id_: str | None) -> Iterator[None]:
    """Have the calls within the block known as the run of a scheduled one; None: of a cron."""
    token = cause_of_calls.set(SchedulingCause(runs=id_))
    try:
        yield
    finally:
        cause_of_calls.reset(token)


def note_scheduled(id_: str) -> None:
    """Note that the call that is under way has scheduled another one."""
    cause = cause_of_calls.get()
    if cause is not None:
        cause.scheduled = (*cause.scheduled[-99:], id_)
