"""The calls to come and the crons as the scheduler reads them: what is to be done when."""

from __future__ import annotations

from typing import Any

from synovia.schema import Index, Table
from synovia.schema.encrypted import SealedIfKeys


class QueuedCall(
    Table,
    name="_scheduled",
    system=True,
    indexes=[
        Index("by_queue", "queue", "large", "due_at"),
        Index("by_plan", "queue", "large", "planned_at"),
        Index("by_line", "queue", "large", "line", "due_at"),
    ],
):
    """The part of a call that says what is to be done when; readable whatever else is in the document."""

    path: Any = None
    pool: Any = None
    queue: Any = None
    due_at: Any = None
    planned_at: Any = None
    hub: Any = None
    status: Any = None
    error: SealedIfKeys[Any] = None
    finished_at: Any = None
    caused_by: Any = None
    line: Any = None
    large: Any = None


class QueuedCron(Table, name="_crons", system=True, indexes=[Index("by_next_run", "next_run")]):
    """The part of a cron that says when it is due; readable whatever else is in the document."""

    schedule: Any = None
    next_run: Any = None
    last_run: Any = None
    planned_at: Any = None
    hub: Any = None


class QueuedBatch(
    Table, name="_call_batches", system=True, indexes=[Index("by_due", "due_at"), Index("by_line", "line", "due_at")]
):
    """The part of a batch of calls that says whose it is; readable whatever else is in the document."""

    path: Any = None
    due_at: Any = None
    hub: Any = None
    caused_by: Any = None
    line: Any = None
