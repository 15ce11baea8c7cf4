"""What is due: a live query over the calls and the crons, which also tells when it has to be asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, cast, get_args

from synovia.functions.access import Access
from synovia.functions.context import FOREVER, QueryContext
from synovia.functions.function import Function, Kind
from synovia.functions.query import ge
from synovia.functions.registry import Registry
from synovia.functions.scheduled_calls import Queue
from synovia.scheduler.tables import QueuedCall, QueuedCron
from synovia.schema import Model

GRACE = 200
"""So many milliseconds a hub leaves what is due to the hub that scheduled it, so that they do not all run it at once."""
UNKNOWN_GRACE = 60_000
"""So long it leaves a function that it does not know to a hub that does: of a newer version of the application, say."""
WINDOW = 64
MOST_CRONS = 10_000

Task = Literal["mutation", "action", "running", "finished", "cron"]


class DueCall(Model):
    """Something that is due.

    Attributes:
        id: Of the call; of a cron, its path.
    """

    task: Task
    id: str
    path: str


class DueCalls(Model):
    """What is due, and when the next thing will be, in milliseconds since 1970; None: nothing is planned."""

    items: list[DueCall]
    next: int | None = None


def due_calls_query(registry: Registry, hub: str) -> Function:
    """Make the query that gives a hub's due_calls."""

    async def due_calls(ctx: QueryContext) -> DueCalls:
        planned = [entry async for entry in _planned(ctx)]
        timed = [(due + _grace(item, owner, registry, hub), item) for due, item, owner in planned]
        later = min((due for due, _ in timed if due > ctx.now), default=FOREVER)
        ctx.hold_until(later)
        return DueCalls(items=[item for due, item in timed if due <= ctx.now], next=None if later >= FOREVER else later)

    function = Function(due_calls, Kind.QUERY, access=Access(internal=True))
    function.path = "_scheduler:due_calls"
    function.prepare()
    return function


async def _planned(ctx: QueryContext) -> AsyncIterator[tuple[int, DueCall, Any]]:
    for queue in cast(tuple[Queue, ...], get_args(Queue)):
        for call in await ctx.db.query(QueuedCall).using("by_queue", queue=queue, due_at=ge(0)).take(WINDOW):
            yield _time(call.due_at), DueCall(task=queue, id=call.id, path=str(call.path)), call.hub
    for cron in await ctx.db.query(QueuedCron).using("by_next_run", next_run=ge(0)).take(MOST_CRONS):
        yield _time(cron.next_run), DueCall(task="cron", id=cron.id, path=cron.id), cron.hub


def _time(value: Any) -> int:
    # Other programs may write here whatever compares as a number.
    return int(value) if isinstance(value, int | float) and value < FOREVER else FOREVER


def _grace(item: DueCall, owner: Any, registry: Registry, hub: str) -> int:
    if item.task == "finished":
        return 0
    if item.path not in registry.functions:
        return FOREVER if item.task == "cron" else UNKNOWN_GRACE
    return 0 if owner == hub or item.task == "running" else GRACE
