"""The calls to come and the crons as the database keeps them; functions read these tables."""

from __future__ import annotations

from typing import Any, Literal

from synovia.schema import Id, Index, Model, Table
from synovia.schema.encrypted import SealedIfKeys

Status = Literal["pending", "running", "done", "failed", "cancelled"]
ACTIONS = "action"
"""The queue of actions; of those in a pool it is ``action:NAME``."""
JOBS = "job"
"""The queue of jobs."""
WORKFLOWS, WAITING = "workflow", "waiting"
"""The queues of workflows: of those that look at what has come at some time, and of those that wait until something does."""
ENDED = "ended"
"""The queue of workflows that are over, and whose steps have not all been given up."""

LARGE_BYTES = 16 * 1024


def large_if(size: int) -> bool | None:
    """Give ``ScheduledCall.large`` of a call whose arguments and context have so many bytes together."""
    return True if size > LARGE_BYTES else None


class CallError(Model):
    """Why a call failed.

    Attributes:
        reference: Of a ``server_error``: under which the log has the traceback.
    """

    code: str
    message: str
    reference: str | None = None


class CallOutcome(Model):
    """How a call has ended, for ``on_complete`` and ``on_failure``.

    Attributes:
        result: What the function gave, as wire values, if it is done.
        error: Why it has failed.
    """

    status: Literal["done", "failed", "cancelled"]
    result: Any = None
    error: CallError | None = None


class RetryTimes(Model):
    """A ``Retry`` as it is stored; times in milliseconds."""

    attempts: int
    first: int
    factor: float
    limit: int


class JobProgress(Model):
    """How far a job is.

    Attributes:
        done: So many documents are behind it, with those that ``where`` has left out.
        estimate: So many there were when it began, with those.
    """

    done: int = 0
    estimate: int


class JobPlace(Model):
    """What a job still has before it: an interval of an index.

    Attributes:
        fields: Those of the index, which may be another one tomorrow.
        low, high: The ends of the interval, as encoded keys.
        with_deleted: Whether it is also for what has been deleted softly.
        where: Which documents of it, as BSON.
        size: So many documents the next step is for.
    """

    index: str
    fields: list[str]
    low: bytes
    high: bytes
    order: Literal["asc", "desc"]
    with_deleted: bool = False
    where: bytes | None = None
    size: int


class ScheduledCall(
    Table,
    name="_scheduled",
    system=True,
    indexes=[
        Index("by_status", "status", "run_at"),
        Index("by_queue", "queue", "large", "due_at"),
        Index("by_plan", "queue", "large", "planned_at"),
        Index("by_line", "queue", "large", "line", "due_at"),
    ],
):
    """A call that was scheduled. Times are in milliseconds since 1970.

    Attributes:
        args: As the function takes them, names in camelCase; array references as documents hold them.
        run_at: When it is to run; after a failure, when it is tried again.
        attempts: How often it has been begun; 0 of a mutation, whose beginning is not written down.
        error: What the last attempt failed with.
        cron: The cron that scheduled it.
        on_complete, on_failure: The mutations that are told when it is over, and when it has failed.
        context: What they get with it.
        callback_error: What one of them failed with.
        pool: The pool in which it waits and runs.
        progress: Of a job, once it has begun.
        job: Of a job: where it goes on.
        queue: What the scheduler has to do next: run it (``mutation``, ``action``, ``action:POOL``, ``job``,
            ``workflow``), look after it while it runs (``running``), wait for its steps (``waiting``), give up those that
            are left (``ended``), or remove it (``finished``).
        workflow, step: Of a step: the call that is its workflow, and its number there.
        turn: Of a workflow: the number of the turn that has left it so, as its hub counts them.
        due_at: When: ``run_at``; the end of the lease while it runs; the end of the time that it is kept.
        planned_at: When that was planned, if it is so long after then; None if it was given as a time.
        hub: Who scheduled it, or who runs it.
        caused_by: Whom it is charged to: the ``Identity.pseudonym`` of who was signed in, else the address that the call
            came from which led to it; None: the application itself, or the call is over.
        line: Of whoever has many calls to come: the line in which these wait, apart from all others; None: they are few.
        large: Whether its arguments and its context have more than ``LARGE_BYTES``: of such calls few are read at once.
    """

    path: str
    args: SealedIfKeys[dict[str, Any]] = {}
    status: Status
    run_at: int
    attempts: int = 0
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    error: SealedIfKeys[CallError | None] = None
    retry: RetryTimes | None = None
    cron: str | None = None
    on_complete: str | None = None
    on_failure: str | None = None
    context: SealedIfKeys[Any] = None
    callback_error: SealedIfKeys[CallError | None] = None
    pool: str | None = None
    progress: JobProgress | None = None
    job: JobPlace | None = None
    workflow: Id[ScheduledCall] | None = None
    step: int | None = None
    turn: int | None = None
    queue: str
    due_at: int
    planned_at: int | None = None
    hub: str
    caused_by: str | None = None
    line: str | None = None
    large: bool | None = None


class WorkflowStep(
    Table,
    name="_workflow_steps",
    system=True,
    indexes=[Index("by_workflow", "workflow", "number"), Index("by_news", "workflow", "place", "status")],
):
    """What a workflow has begun, and what came of it. Times are in milliseconds since 1970.

    Attributes:
        workflow: The call that is the workflow.
        number: From 0, in the order in which it was begun; -1 of what was not (all other kinds).
        kind: ``step``, ``sleep`` or ``event``; ``cancel``: that the workflow is to end; ``end``: that it has ended; as long
            as one of these is ``pending`` no step begins, and its id is that of the workflow; ``resume``: that it is to go
            on after its end; ``kept``: an event that nobody has waited for yet.
        name: The path of a step, the name of an event.
        call: Of a step: the call that it is.
        due_at: Of a sleep: its end.
        result: What it gave; of an event what came with it.
        place: As how manieth the workflow has seen that it is over.
        compensates: Whether it takes back what was done before.
    """

    workflow: Id[ScheduledCall]
    number: int
    kind: Literal["step", "sleep", "event", "cancel", "end", "resume", "kept"]
    name: str
    status: Literal["pending", "done", "failed", "cancelled"]
    call: Id[ScheduledCall] | None = None
    due_at: int | None = None
    finished_at: int | None = None
    result: SealedIfKeys[Any] = None
    error: SealedIfKeys[CallError | None] = None
    place: int | None = None
    compensates: bool = False


class CallBatch(
    Table, name="_call_batches", system=True, indexes=[Index("by_due", "due_at"), Index("by_line", "line", "due_at")]
):
    """Calls that were scheduled together, until the hubs have made rows of them.

    Attributes:
        due_at: When they were scheduled; None if they cannot be read.
        caused_by, line: As of a call.
        size: So many calls they are.
        common: What all their rows have.
        calls: What each has of its own: id, arguments and context.
    """

    path: str
    hub: str
    due_at: int | None = None
    caused_by: str | None = None
    line: str | None = None
    size: int = 0
    common: dict[str, Any]
    calls: list[dict[str, Any]]


def queue_of(pool: str | None) -> str:
    """Give the queue in which actions of a pool wait."""
    return ACTIONS if pool is None else f"{ACTIONS}:{pool}"


class CronJob(Table, name="_crons", system=True, indexes=[Index("by_next_run", "next_run")]):
    """A cron; its id is the path of the function. Times are in milliseconds since 1970.

    Attributes:
        schedule: As ``every 300000 ms`` or ``0 3 * * * Europe/Berlin``.
        last_run: When it last ran, not when it should have.
        last_status: What came of that; of an action: ``pending`` until it is over.
        last_call: The action's call.
        planned_at: When ``next_run`` was planned.
        hub: Who planned it.
    """

    schedule: str
    next_run: int
    last_run: int | None = None
    last_status: Status | None = None
    last_error: SealedIfKeys[CallError | None] = None
    last_call: Id[ScheduledCall] | None = None
    planned_at: int | None = None
    hub: str
