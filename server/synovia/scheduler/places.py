"""Where a job goes on: an interval of an index, as its row keeps it."""

from __future__ import annotations

from typing import Any

from synovia.errors import FunctionError
from synovia.functions.context import QueryContext
from synovia.functions.named_indexes import index_of
from synovia.functions.query import Query
from synovia.functions.scheduled_calls import JobPlace
from synovia.keys import Interval, Order
from synovia.migrations.batches import FIRST
from synovia.schema import Table
from synovia.store import filters
from synovia.transaction.transaction import Scan

JOB_CHANGED = "job_changed"
"""The code of a job whose index is another one than when it was begun."""


def first_place(query: Query[Any]) -> JobPlace:
    """Give the place of a job that has a query before it."""
    scan = query.scan
    return JobPlace(
        index=scan.index.name, fields=list(scan.index.fields), low=scan.interval.low, high=scan.interval.high,
        order="asc" if scan.order is Order.ASC else "desc", with_deleted=query.shows_deleted,
        where=None if scan.where is None else filters.dump(scan.where), size=FIRST,
    )  # fmt: skip


def query_at(ctx: QueryContext, table: type[Table], place: JobPlace) -> Query[Any]:
    """Give the query that a job has before it.

    Raises:
        FunctionError: The index is not there any more, or is another one.
    """
    index = index_of(table, place.index, ())
    if list(index.fields) != place.fields:
        text = f"{table.spec.name}.{index.name} was over {', '.join(place.fields)} when this job began, and is over"
        raise FunctionError(JOB_CHANGED, f"{text} {', '.join(index.fields)} now")
    query = ctx.db.query(table)
    query = query.with_deleted() if place.with_deleted else query
    where = None if place.where is None else filters.load(place.where)
    return query.over(Scan(table.spec.name, index, Interval(place.low, place.high), Order(place.order), where))
