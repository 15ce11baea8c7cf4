"""``@cron``: a function that is run by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from synovia.errors import SchemaError
from synovia.functions.function import Kind, function_of
from synovia.functions.parameters import signature_of
from synovia.functions.scheduled_calls import JOBS, WORKFLOWS
from synovia.functions.schedules import Expression, Schedule, daily, interval

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


def cron(
    expression: str | None = None, *, every: timedelta | None = None, daily_at: str | None = None, tz: str = "UTC"
) -> Callable[[F], F]:
    """Have a mutation or an action run by itself, as the application; it stands above ``@mutation`` or ``@action``.

    It runs once at each time, however many hubs there are. After a time in which no hub was there it runs once, not once for
    each time that was missed.

    Args:
        expression: A cron expression of five fields, as ``0 3 * * *``.
        every: An interval, from a second to a year, counted from when the cron is first seen.
        daily_at: A time of day, as ``03:00``.
        tz: The time zone of the expression or the time of day, as ``Europe/Berlin``.

    Raises:
        SchemaError: The schedule cannot be; the function is a query, or needs arguments.
    """
    schedule = _schedule(expression, every, daily_at, tz)

    def mark(body: F) -> F:
        function = function_of(body)
        name = getattr(body, "__name__", repr(body))
        if function is None or function.kind is Kind.QUERY or function.queue in (JOBS, WORKFLOWS):
            raise SchemaError(f"{name}: @cron stands above @mutation or @action")
        if function.cron is not None:
            raise SchemaError(f"{name}: a function has one @cron")
        needed = [each for each in signature_of(body).parameters.values() if each.default is each.empty]
        if len(needed) > 1:
            raise SchemaError(f"{name}: a cron passes no arguments, so {needed[1].name!r} needs a default")
        function.cron = schedule
        return body

    return mark


def _schedule(expression: str | None, every: timedelta | None, daily_at: str | None, tz: str) -> Schedule:
    if sum(given is not None for given in (expression, every, daily_at)) != 1:
        raise SchemaError("@cron takes one of: an expression, every, daily_at")
    if every is not None:
        if tz != "UTC":
            raise SchemaError("@cron(every=...) has no time zone")
        return interval(every)
    return daily(daily_at, tz) if daily_at is not None else Expression(expression or "", tz)
