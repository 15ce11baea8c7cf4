"""What is due: live queries over the calls and the crons, which also tell when they have to be asked again.

There is one for what waits in pools, and one for all else: what is more than its places is read less often, and holds up
only its like by that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final, Literal, TypeVar

from synovia.functions.conditions import between, field, ge, gt
from synovia.functions.context import FOREVER, QueryContext
from synovia.functions.function import Function, query_of_the_hub
from synovia.functions.registry import Registry
from synovia.functions.scheduled_calls import ACTIONS, queue_of
from synovia.functions.schedules import Schedule, parse
from synovia.scheduler.clocks import Plan, Plans
from synovia.scheduler.tables import QueuedBatch, QueuedCall, QueuedCron
from synovia.schema import Model

GRACE = 200
"""So many milliseconds a hub leaves what is due to the hub that scheduled it, so that they do not all run it at once."""
JOB_GRACE = 2_000
"""So long it leaves the next step of a job to the hub that has done the last one."""
UNKNOWN_GRACE = 60_000
"""So long it leaves a function that it does not know to a hub that does: of a newer version of the application, say."""
WINDOW = 64
LINES = 16
"""So many lines of callers who have much to come are looked at in a queue at once, by turns."""
OF_A_LINE = 4
LARGE_WINDOW = 4
"""So many large calls are looked at, and the first of so many lines of them: each may have 2 MB."""
MOST_CRONS = 10_000
BATCHES = 2
"""So many batches are looked at, as they are large."""
AHEAD_STEP = 10_000
"""What was planned twice so many milliseconds ahead is found, also behind everything that is due before it."""

R = TypeVar("R", QueuedCall, QueuedBatch)
Task = Literal["mutation", "action", "job", "workflow", "ended", "running", "finished", "cron", "batch"]
FINISHED: Final = "finished"
_QUEUES: tuple[Task, ...] = ("mutation", "job", "workflow", "ended", "running", FINISHED)
_END_OF_ACTIONS = f"{ACTIONS};"  # behind all that begin with "action:"


class DueCall(Model):
    """Something that is due.

    Attributes:
        id: Of the call; of a cron, its path.
        due_at: As its row says it; more than the present time if that was planned while a clock was ahead.
        caused_by: Whom it is charged to; None: the application itself.
    """

    task: Task
    id: str
    path: str
    due_at: int
    caused_by: str | None = None


class DueCalls(Model):
    """What is due, and when the next thing will be, in milliseconds since 1970; None: nothing is planned."""

    items: list[DueCall]
    next: int | None = None


_Planned = Callable[[QueryContext], Awaitable[list[tuple[int, DueCall, Any]]]]
"""Reads what is planned: when that is due, and who owns it."""


def due_calls_query(registry: Registry, hub: str, plans: Plans) -> Function:
    """Make the query that gives what is due at a hub, without what waits in pools."""
    window = _Window()
    queues: list[tuple[Task, str]] = [*((each, each) for each in _QUEUES), ("action", ACTIONS)]

    async def planned(ctx: QueryContext) -> list[tuple[int, DueCall, Any]]:
        found = _planned_calls(await _calls(ctx, window, queues), plans, ctx.now)
        return found + await _planned_batches(ctx, plans, window) + await _planned_crons(ctx, plans, registry)

    return _query("_scheduler:due_calls", registry, hub, plans, planned)


def due_in_pools_query(registry: Registry, hub: str, plans: Plans) -> Function:
    """Make the query that gives what is due at a hub of the actions that wait in pools."""
    window, pools = _Window(), _PoolQueues(registry)

    async def planned(ctx: QueryContext) -> list[tuple[int, DueCall, Any]]:
        queues: list[tuple[Task, str]] = [("action", queue) for queue in await pools.find(ctx)]
        return _planned_calls(await _calls(ctx, window, queues), plans, ctx.now)

    return _query("_scheduler:due_in_pools", registry, hub, plans, planned)


def _query(path: str, registry: Registry, hub: str, plans: Plans, planned: _Planned) -> Function:
    async def due_calls(ctx: QueryContext) -> DueCalls:
        plans.look(ctx.now)
        timed = [(due + _grace(item, owner, registry, hub), item) for due, item, owner in await planned(ctx)]
        later = min((due for due, _ in timed if due > ctx.now), default=FOREVER)
        ctx.hold_until(later)
        items = await _with_room(ctx, registry, [item for due, item in timed if due <= ctx.now])
        return DueCalls(items=items, next=None if later >= FOREVER else later)

    return query_of_the_hub(path, due_calls)


def held_calls_query(hub: str) -> Function:
    """Make the query that gives the ids of the actions which a hub runs, as far as the database knows."""

    async def held_calls(ctx: QueryContext) -> list[str]:
        running = ctx.db.query(QueuedCall).using("by_queue", queue="running")
        return [call.id for call in await running.where(field("hub") == hub).collect()]

    return query_of_the_hub("_scheduler:held_calls", held_calls)


def _planned_calls(calls: Iterable[tuple[Task, QueuedCall]], plans: Plans, now: int) -> list[tuple[int, DueCall, Any]]:
    found = []
    for task, call in calls:
        plan = Plan(_time(call.due_at), _moment(call.planned_at), call.hub)
        found.append((plans.due_at(call.id, plan, now), _due(task, call, plan), call.hub))
    return found


async def _planned_batches(ctx: QueryContext, plans: Plans, window: _Window) -> list[tuple[int, DueCall, Any]]:
    found = []
    for batch in await window.batches(ctx):
        plan = Plan(_time(batch.due_at), _moment(batch.due_at), batch.hub)
        found.append((plans.due_at(batch.id, plan, ctx.now), _due("batch", batch, plan), batch.hub))
    return found


async def _planned_crons(ctx: QueryContext, plans: Plans, registry: Registry) -> list[tuple[int, DueCall, Any]]:
    found = []
    for cron in await ctx.db.query(QueuedCron).using("by_next_run", next_run=ge(0)).take(MOST_CRONS):
        plan = Plan(_time(cron.next_run), _moment(cron.planned_at) or _moment(cron.last_run), cron.hub)
        function = registry.functions.get(cron.id)
        due = plan.due_at
        if function is not None and function.cron is not None:
            schedule = schedule_of(function.cron, cron.schedule)
            due = plans.due_at(cron.id, plan, ctx.now, partial(schedule.resumed, plan.due_at))
        found.append((due, DueCall(task="cron", id=cron.id, path=cron.id, due_at=plan.due_at), cron.hub))
    return found


def _due(task: Task, row: QueuedCall | QueuedBatch, plan: Plan) -> DueCall:
    by = row.caused_by if isinstance(row.caused_by, str) else None
    return DueCall(task=task, id=row.id, path=str(row.path), due_at=plan.due_at, caused_by=by)


async def _calls(
    ctx: QueryContext, window: _Window, queues: Iterable[tuple[Task, str]]
) -> Iterable[tuple[Task, QueuedCall]]:
    """Read the first of each queue and of its lines, and what was planned by a clock that is ahead of this one, or was."""
    found: dict[str, tuple[Task, QueuedCall]] = {}
    ahead = gt((ctx.now // AHEAD_STEP + 1) * AHEAD_STEP)  # in steps, so that a rerun finds it in its memory
    for task, queue in queues:
        calls = ctx.db.query(QueuedCall)
        rows = await window.calls(ctx, queue)
        for size in _SIZES:
            planned = calls.using("by_plan", queue=queue, large=size.large, planned_at=ahead)
            rows += await planned.take(size.window)
        found.update((row.id, (task, row)) for row in rows if isinstance(row.due_at, int | float))
    return found.values()


@dataclass(frozen=True, slots=True)
class _Size:
    """How many calls are looked at that are large, or are not."""

    large: bool | None
    window: int
    lines: int
    of_a_line: int


_SIZES = _Size(None, WINDOW, LINES, OF_A_LINE), _Size(True, LARGE_WINDOW, LARGE_WINDOW, 1)


class _Window:
    """The first of what waits: those due longest, and while more that is due waits behind these, the first of each line."""

    def __init__(self) -> None:
        self._after: dict[Hashable, str] = {}
        """Of each queue, the line that was looked at last, if there are more than LINES."""

    async def calls(self, ctx: QueryContext, queue: str) -> list[QueuedCall]:
        """Read those of a queue."""
        return [row for size in _SIZES for row in await self._calls_of(ctx, queue, size)]

    async def _calls_of(self, ctx: QueryContext, queue: str, size: _Size) -> list[QueuedCall]:
        calls, large = ctx.db.query(QueuedCall), size.large
        first = calls.using("by_queue", queue=queue, large=large, due_at=ge(0))
        if queue == FINISHED:  # one sweep removes all that are over
            return await first.take(1)
        rows = await first.take(size.window)
        if len(rows) < size.window or _time(rows[-1].due_at) > ctx.now:
            return rows
        rows += await calls.using("by_line", queue=queue, large=large, line=None, due_at=ge(0)).take(size.window)

        async def of_lines(low: Any) -> list[QueuedCall]:
            return await calls.using("by_line", queue=queue, large=large, line=low).take(size.of_a_line)

        return rows + await self._of_lines((queue, large), of_lines, size.lines)

    async def batches(self, ctx: QueryContext) -> list[QueuedBatch]:
        """Read batches; as they are large, few."""
        batches = ctx.db.query(QueuedBatch)
        rows = await batches.using("by_due", due_at=ge(0)).take(BATCHES)
        if len(rows) < BATCHES:
            return rows
        rows += await batches.using("by_line", line=None, due_at=ge(0)).take(1)

        async def of_lines(low: Any) -> list[QueuedBatch]:
            return await batches.using("by_line", line=low).take(1)

        return rows + await self._of_lines("batch", of_lines, BATCHES)

    async def _of_lines(self, queue: Hashable, read: Callable[[Any], Awaitable[list[R]]], most: int) -> list[R]:
        """Read the first of each line, beginning behind the line at which that ended the last time."""
        begun = after = self._after.pop(queue, None)
        found = list[R]()
        for _ in range(most):
            rows = await read(ge("") if after is None else gt(after))
            if not rows and begun is not None:
                begun = after = None  # once around
                rows = await read(ge(""))
            if not rows:
                return found
            found += rows
            after = str(rows[-1].line)
        if after is not None:
            self._after[queue] = after
        return found


class _PoolQueues:
    """The queues in which actions wait in pools, also in those that are not declared any more.

    Those in which something has waited are looked into each time: what a rerun finds empty, the next one still knows.
    """

    def __init__(self, registry: Registry) -> None:
        self._declared = set(map(queue_of, registry.pools))
        self._met = list[str]()

    async def find(self, ctx: QueryContext) -> list[str]:
        """Give those met before, and those of which there is something between them."""
        found = list[str]()
        for low, high in pairwise([ACTIONS, *self._met, _END_OF_ACTIONS]):
            found += [low] * (low != ACTIONS) + [queue async for queue in _between(ctx, low, high)]
        self._met = [queue for queue in found if queue in self._declared]
        return found


async def _between(ctx: QueryContext, low: str, high: str) -> AsyncIterator[str]:
    """Give the queues between two."""
    while (first := await _first(ctx, f"{low}\0", high)) is not None:
        yield (low := first.queue)


async def _first(ctx: QueryContext, low: str, high: str) -> QueuedCall | None:
    return await ctx.db.query(QueuedCall).using("by_queue", queue=between(low, high)).first()


async def _with_room(ctx: QueryContext, registry: Registry, items: list[DueCall]) -> list[DueCall]:
    """Leave out what finds no room in a pool that hubs share."""
    room = {
        name: pool.parallelism - await running_in(ctx, name)
        for name, pool in registry.pools.items()
        if pool.across_hubs and any(_pool_of(item, registry) == name for item in items)
    }
    kept = []
    for item in items:
        pool = _pool_of(item, registry)
        if pool in room:
            room[pool] -= 1
        if pool is None or room.get(pool, 0) >= 0:
            kept.append(item)
    return kept


async def running_in(ctx: QueryContext, pool: str) -> int:
    """Count the actions of a pool that run, at whichever hub."""
    return await ctx.db.query(QueuedCall).using("by_queue", queue="running").where(field("pool") == pool).count()


def _pool_of(item: DueCall, registry: Registry) -> str | None:
    """Tell the pool in which something is to begin."""
    function = registry.functions.get(item.path)
    return None if item.task != "action" or function is None else function.pool


def schedule_of(declared: Schedule, text: Any) -> Schedule:
    """Give the schedule of a cron's row: another hub may have adopted that of a newer version of the application."""
    if not isinstance(text, str) or text == declared.text:
        return declared
    return parse(text)


def _time(value: Any) -> int:
    # Other programs may write here whatever compares as a number.
    return int(value) if isinstance(value, int | float) and value < FOREVER else FOREVER


def _moment(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and abs(value) < FOREVER else None


def _grace(item: DueCall, owner: Any, registry: Registry, hub: str) -> int:
    if item.task == FINISHED:
        return 0
    if item.task == "batch":
        return 0 if owner == hub else GRACE
    if registry.scheduled(item.path) is None:
        return FOREVER if item.task == "cron" else UNKNOWN_GRACE
    return 0 if owner == hub or item.task == "running" else JOB_GRACE if item.task == "job" else GRACE
