"""The turns of workflows: transactions that move one on by what has come of its steps, and schedule what it begins, both or
neither. It has waited in memory, or is run from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from synovia.errors import WrongKind
from synovia.functions.conditions import field, lt
from synovia.functions.context import MutationContext
from synovia.functions.database import SystemWriter
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import (
    ENDED,
    JOBS,
    WAITING,
    WORKFLOWS,
    CallOutcome,
    ScheduledCall,
    WorkflowStep,
)
from synovia.functions.unreadable import UnreadableDocument
from synovia.functions.workflow import WorkflowFunction
from synovia.scheduler.arguments import from_document
from synovia.scheduler.calls import Calls, When, over
from synovia.scheduler.due_calls import DueCall
from synovia.scheduler.failures import Failure, error_of
from synovia.scheduler.journal import ASIDE, hold, is_held, let_go, steps_of
from synovia.scheduler.replay import (
    CANCEL,
    WORKFLOW_CHANGED,
    Arrival,
    Begun,
    Cut,
    Execution,
    Prepare,
    Turn,
    find_cut,
)
from synovia.scheduler.sticky import Kept, KeptWorkflows
from synovia.scheduler.transitions import CallTransitions, is_due
from synovia.schema import Id
from synovia.turns import Turns
from synovia_protocol.errors import ErrorInfo

GIVEN_UP_AT_ONCE = 50
"""So many steps are given up by one transaction that ends a workflow, or comes behind its end."""


class WorkflowTransitions:
    """The turns of workflows at one hub.

    Args:
        most_kept: So many that wait it keeps in memory.
    """

    def __init__(self, calls: Calls, transitions: CallTransitions, most_kept: int) -> None:
        self._calls = calls
        self._transitions = transitions
        self._kept = KeptWorkflows(calls.hub, most_kept)

    def stop(self) -> None:
        """Drop what waits in memory."""
        self._kept.clear()

    async def turn(self, ctx: MutationContext, due: DueCall, function: WorkflowFunction) -> list[Failure]:
        """Run a workflow as far as it comes with what has come of its steps."""
        call = await ctx.db.get(ScheduledCall, Id(due.id))
        if call is None or call.queue != WORKFLOWS or not is_due(ctx, call.due_at, due):
            return []
        held = await ctx.db.get(WorkflowStep, Id(call.id))
        if held is None and await is_held(ctx, call):
            return []
        prepare = self._preparing(ctx, call)
        if (kept := self._kept.take(call, function)) is None:
            return await self._replay(ctx, call, function, prepare)
        with self._kept.dropped_on_error(kept):
            rows = await _seen(ctx, await self._news(ctx, call, kept, held), kept.seen)
            return await self._advance(ctx, call, kept, rows, prepare)

    def _preparing(self, ctx: MutationContext, call: ScheduledCall) -> Prepare:
        now = ctx.now

        def prepare(path: str, args: Mapping[str, Any], retry: Retry | None) -> ScheduledCall:
            row = self._calls.call(path, args, When(now, now, after=True), retry=retry)
            if row.queue == JOBS:
                raise WrongKind(f"{path!r} is a job, which cannot be a step: begin it with run_job")
            return row.model_copy(update={"caused_by": call.caused_by, "line": call.line})

        return prepare

    async def _replay(
        self, ctx: MutationContext, call: ScheduledCall, function: WorkflowFunction, prepare: Prepare
    ) -> list[Failure]:
        """Run a workflow from its beginning against all that its journal has."""
        args, rows = function.validate(from_document(call.args)), await steps_of(ctx, call.id)
        if any(each.kind == "resume" for each in rows):
            if any(_is_giving_up(each) for each in rows):  # it was resumed before all was given up that was left
                await self._give_up(ctx, rows)
                await let_go(ctx, call.id)
                rows = await steps_of(ctx, call.id)
            rows = await self._rewind(ctx, rows, lambda known, come: find_cut(function, args, known, come, prepare))
        rows = await _seen(ctx, rows, _next_place(rows))
        begun = [each for each in rows if each.number >= 0]
        to_begin = {each.number for each in begun if _is_to_begin(each)}
        kept = Kept(function, Execution(function, args))
        with self._kept.dropped_on_error(kept):
            return await self._advance(ctx, call, kept, rows, prepare, [_known(each) for each in begun], to_begin)

    async def _news(
        self, ctx: MutationContext, call: ScheduledCall, kept: Kept, held: WorkflowStep | None
    ) -> list[WorkflowStep]:
        """Read what a workflow that waits has not seen yet, and the events that nobody has waited for."""
        rows, id_ = ctx.db.query(WorkflowStep), Id[ScheduledCall](call.id)
        news = await rows.using("by_news", workflow=id_, place=None, status=lt("pending")).collect()
        if held is not None and held.place is None:
            news.append(held)
        over = [number for number, due_at in kept.sleeps.items() if due_at <= ctx.now]
        return news + await _numbered(ctx, call.id, over)

    async def _advance(
        self, ctx: MutationContext, call: ScheduledCall, kept: Kept, rows: list[WorkflowStep], prepare: Prepare,
        known: Sequence[tuple[Any, str]] = (), to_begin_again: Container[int] = (),
    ) -> list[Failure]:  # fmt: skip
        """Hand a workflow what has come, and do what it does then.

        Args:
            rows: What is new to it, what has come with its place; and the events that nobody has waited for.
        """
        arrived = _arrived(rows)
        turn = await asyncio.to_thread(kept.execution.advance, arrived, prepare, known, to_begin_again)
        by_number = {each.number: each for each in rows if each.number >= 0}
        events = [each for each in rows if each.kind == "kept"]
        turns = Turns(1)  # a workflow may begin hundreds of steps at once
        for number, each in turn.again.items():
            by_number[number] = await self._begin(ctx, by_number[number], each, events)
            await turns.step()
        for number, each in enumerate(turn.begun, turn.known):
            by_number[number] = await self._begin(ctx, _step(call, number, each), each, events)
            await turns.step()
        if turn.ended is not None:
            return await self._end(ctx, call, turn)
        await self._give_up(ctx, await _numbered(ctx, call.id, turn.given_up, by_number))
        await let_go(ctx, call.id)
        kept.grow(len(known) + len(turn.begun), arrived)
        kept.sleep(by_number.values(), turn.given_up)
        await self._wait(ctx, call, kept, is_news_there=any(map(_is_news, by_number.values())))
        return []

    async def _begin(
        self, ctx: MutationContext, row: WorkflowStep, begun: Begun, kept: list[WorkflowStep]
    ) -> WorkflowStep:
        writer, changes = SystemWriter(ctx.db), dict[str, Any]()
        if begun.call is not None:
            call = begun.call.model_copy(update={"workflow": row.workflow, "step": row.number})
            changes = {"call": await writer.insert(call)}
        elif begun.kind == "sleep":
            changes = {"due_at": ctx.now + begun.delay}
        elif (event := next((each for each in kept if each.name == begun.name), None)) is not None:
            kept.remove(event)
            await writer.delete(event)
            changes = {"status": "done", "result": event.result, "finished_at": ctx.now}
        if row.id:
            return await writer.patch(row, **changes) if changes else row
        row = row.model_copy(update=changes)
        await writer.insert(row)
        return row

    async def _wait(self, ctx: MutationContext, call: ScheduledCall, kept: Kept, *, is_news_there: bool) -> None:
        """Have a workflow look again when something comes, or a sleep is over; at once if there is an event already."""
        times = [ctx.now] if is_news_there else [*kept.sleeps.values()]
        queue, due_at = (WORKFLOWS, min(times)) if times else (WAITING, ctx.now)
        await SystemWriter(ctx.db).patch(
            call, status="running", started_at=call.started_at or ctx.now, attempts=1, hub=self._calls.hub, queue=queue,
            due_at=due_at, planned_at=ctx.now, turn=self._kept.keep(call.id, kept),
        )  # fmt: skip

    async def _rewind(
        self, ctx: MutationContext, rows: Sequence[WorkflowStep], cut_of: Callable[..., Cut | None]
    ) -> list[WorkflowStep]:
        """Bring a workflow that is over back to where it goes on, and give its rows."""
        done = await _seen(
            ctx, [each for each in rows if not _was_given_up(each) and each.kind != "resume"], _next_place(rows)
        )
        known = [each for each in rows if each.number >= 0]
        begun = list(takewhile(lambda each: not each.compensates, known))
        arrived = [each for each in _arrived(done) if each.number < len(begun)]
        cut = await asyncio.to_thread(cut_of, [_known(each) for each in begun], arrived)
        cut = cut or Cut(len(arrived), len(begun), was_taken_back=False)
        seen = {each.number for each in arrived[: cut.seen]}
        for each in await steps_of(ctx, rows[0].workflow):
            if each.kind == "resume" or (each.kind != "kept" and each.number not in seen):
                await self._begin_anew(ctx, each, cut)
        return await steps_of(ctx, rows[0].workflow)

    async def _begin_anew(self, ctx: MutationContext, step: WorkflowStep, cut: Cut) -> None:
        """Have a step begun once more that has failed, was given up, or comes to nothing."""
        writer, is_known = SystemWriter(ctx.db), 0 <= step.number < cut.begun
        if is_known and step.status == "done" and (step.kind != "step" or not cut.was_taken_back):
            await writer.patch(step, place=None)  # comes after what is begun anew
        elif is_known:
            call = None if step.call is None else await ctx.db.get(ScheduledCall, step.call)
            goes_on = call is not None and await self._calls.resume(ctx, call)
            await writer.patch(
                step, status="pending", place=None, due_at=None, finished_at=None, result=None, error=None,
                call=step.call if goes_on else None,
            )  # fmt: skip
        elif step.kind == "event" and step.status == "done":
            await writer.patch(step, number=ASIDE, kind="kept", place=None)
        else:
            await writer.delete(step)

    async def _give_up(self, ctx: MutationContext, steps: Sequence[WorkflowStep]) -> None:
        """Cancel what nobody waits for any more; of what runs already the result is not taken."""
        writer = SystemWriter(ctx.db)
        calls = await ctx.db.load([each for each in steps if each.status == "pending"], "call")  # with one question
        for each in steps:
            step = await ctx.db.get(WorkflowStep, Id(each.id))
            if step is None or step.status != "pending":
                continue
            await writer.patch(step, status="cancelled", finished_at=ctx.now)
            call = None if step.call is None else calls.get(step.call)
            if call is None:
                continue
            if call.status == "running" and call.queue in (WORKFLOWS, WAITING):
                await ctx.scheduler.cancel(call.id)
            elif call.status == "pending" or call.queue == "running":
                await writer.patch(call, status="cancelled", **over(ctx.now, self._calls.keep))

    async def _end(self, ctx: MutationContext, call: ScheduledCall, turn: Turn) -> list[Failure]:
        status = turn.ended or "done"
        changes = over(ctx.now, self._calls.keep) | await self._leave(ctx, call)
        await SystemWriter(ctx.db).patch(call, status=status, attempts=1, error=None, **changes)
        return await self._calls.completion.tell(ctx, call, CallOutcome(status=status, result=turn.result))

    async def _leave(self, ctx: MutationContext, call: ScheduledCall) -> dict[str, Any]:
        """Give up the steps of a workflow that is over, or, if they are many, have none of them begin, so that the end does
        not wait for all that; tell how its call is to be changed then."""
        left = await _left(ctx, call)
        if len(left) <= GIVEN_UP_AT_ONCE:
            await self._give_up(ctx, left)
            await let_go(ctx, call.id)
            return {}
        await hold(ctx, call.id, "end")
        return {"queue": ENDED, "due_at": ctx.now, "planned_at": ctx.now, "caused_by": call.caused_by}

    async def give_up(self, ctx: MutationContext, due: DueCall) -> list[Failure]:
        """Give up some of the steps that a workflow has left behind at its end, first those that run."""
        call = await ctx.db.get(ScheduledCall, Id(due.id))
        if call is None or call.queue != ENDED:
            return []
        writer, left = SystemWriter(ctx.db), await _left(ctx, call)
        calls = await ctx.db.load(left, "call")
        running = {id_ for id_, each in calls.items() if each.status == "running"}
        left.sort(key=lambda each: each.call not in running)
        await self._give_up(ctx, left[:GIVEN_UP_AT_ONCE])
        if len(left) > GIVEN_UP_AT_ONCE:
            await writer.patch(call, due_at=ctx.now, planned_at=ctx.now)
        else:
            await let_go(ctx, call.id)
            await writer.patch(call, **over(ctx.now, self._calls.keep))
        return []

    async def fail(self, ctx: MutationContext, id_: str, error: ErrorInfo) -> list[Failure]:
        """Note that a workflow has failed, and cancel what it still waits for."""
        try:
            call = await ctx.db.get(ScheduledCall, Id(id_))
        except UnreadableDocument:  # somebody else has written into it
            return await self._transitions.fail(ctx, id_, error)
        if call is None or call.queue != WORKFLOWS:
            return []
        failures = await self._transitions.fail(ctx, id_, error)
        if error_of(error).code != WORKFLOW_CHANGED:  # that one may go on
            changes = await self._leave(ctx, call)
            await SystemWriter(ctx.db).patch(Id[ScheduledCall](id_), **changes)
        return failures


async def _left(ctx: MutationContext, call: ScheduledCall) -> list[WorkflowStep]:
    """Read the steps for which a workflow still waits."""
    rows = ctx.db.query(WorkflowStep).using("by_news", workflow=Id(call.id), place=None, status="pending")
    return await rows.where(field("number") >= 0).collect()


async def _numbered(
    ctx: MutationContext, workflow: str, numbers: Iterable[int], at_hand: Mapping[int, WorkflowStep] = MappingProxyType({})
) -> list[WorkflowStep]:  # fmt: skip
    """Give the steps of some numbers."""
    rows = ctx.db.query(WorkflowStep)
    found = [
        at_hand.get(number) or await rows.using("by_workflow", workflow=Id(workflow), number=number).unique()
        for number in numbers
    ]
    return [each for each in found if each is not None]


def _step(workflow: ScheduledCall, number: int, begun: Begun) -> WorkflowStep:
    return WorkflowStep(
        workflow=Id(workflow.id), number=number, kind=begun.kind, name=begun.name, status="pending",
        compensates=begun.compensates,
    )  # fmt: skip


def _is_to_begin(step: WorkflowStep) -> bool:
    """Tell whether a step is to be begun once more, after its workflow was resumed."""
    return step.status == "pending" and step.call is None and step.due_at is None


def _was_given_up(step: WorkflowStep) -> bool:
    """Tell whether nobody waited for a step any more when its workflow ended."""
    return step.status == "cancelled" and step.error is None and step.place is None


async def _seen(ctx: MutationContext, rows: list[WorkflowStep], first: int) -> list[WorkflowStep]:
    """Give rows of a workflow, those that are over with the place in which that was seen: those that are so now, from
    the ``first`` on."""
    writer, found = SystemWriter(ctx.db), list(rows)
    fresh = [
        (_over_at(each), each.number, at)
        for at, each in enumerate(rows)
        if each.place is None and each.kind not in ("kept", "end") and _has_come(ctx, each)
    ]
    for place, (_, _, at) in enumerate(sorted(fresh), first):
        changes = {"status": "done", "finished_at": ctx.now} if _has_slept(ctx, rows[at]) else {}
        found[at] = await writer.patch(rows[at], place=place, **changes)
    return found


def _next_place(rows: Iterable[WorkflowStep]) -> int:
    return max((each.place for each in rows if each.place is not None), default=-1) + 1


def _over_at(step: WorkflowStep) -> int:
    return step.finished_at or step.due_at or 0


def _has_come(ctx: MutationContext, step: WorkflowStep) -> bool:
    return step.status != "pending" or step.kind == "cancel" or _has_slept(ctx, step)


def _is_news(step: WorkflowStep) -> bool:
    """Tell whether a step is over, which its workflow has not seen: it waits for an event that was there already."""
    return step.status == "done" and step.place is None


def _has_slept(ctx: MutationContext, step: WorkflowStep) -> bool:
    return step.kind == "sleep" and step.status == "pending" and step.due_at is not None and step.due_at <= ctx.now


def _is_giving_up(step: WorkflowStep) -> bool:
    """Tell whether a row says that its workflow has ended, and has left steps behind that are still to be given up."""
    return step.status == "pending" and (step.kind == "end" or (step.kind == "cancel" and step.place is not None))


def _known(step: WorkflowStep) -> tuple[Any, str]:
    return step.kind, step.name


def _arrived(rows: Sequence[WorkflowStep]) -> list[Arrival]:
    over = sorted((each for each in rows if each.place is not None), key=lambda each: each.place or 0)
    return [
        Arrival(CANCEL if each.kind == "cancel" else each.number, from_document(each.result), each.error)
        for each in over
    ]
