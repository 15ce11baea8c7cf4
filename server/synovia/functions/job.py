"""``@job``: functions that go over a query in steps, each step a transaction that also says how far the job is."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar, Concatenate, Final, TypeVar, get_args, get_origin, overload

from synovia.errors import SchemaError
from synovia.functions.access import Access
from synovia.functions.annotations import hints_of
from synovia.functions.context import MutationContext
from synovia.functions.function import Function, Kind
from synovia.functions.parameters import signature_of
from synovia.functions.references import MARK
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import JOBS
from synovia.functions.signatures import Caller, Signature
from synovia.schema import Table

STEPS_RETRY: Final = Retry(attempts=5, first=timedelta(seconds=1), factor=4)
"""How often a step is tried again if its job does not say."""

JobBody = TypeVar("JobBody", bound=Callable[Concatenate[MutationContext, list[Any], ...], Awaitable[None]])


class JobFunction(Function):
    """What a decorated job declares.

    Attributes:
        table: The table of the documents that it is handed.
    """

    handed: ClassVar[int] = 2
    table: type[Table]

    def __init__(self, body: Callable[..., Awaitable[Any]], retry: Retry) -> None:
        super().__init__(body, Kind.MUTATION, access=Access(internal=True), retry=retry)

    @property
    def queue(self) -> str:
        return JOBS

    @property
    def _caller(self) -> Caller:
        return "schedule"

    @property
    def word(self) -> str:
        return "job"

    def prepare(self, known: Signature | None = None) -> Signature:
        signature = super().prepare(known)
        self.table = self._table_of_rows()
        return signature

    def _table_of_rows(self) -> type[Table]:
        name = list(signature_of(self.body).parameters)[1]
        rows = hints_of(self.body).get(name)
        kinds = get_args(rows)
        if get_origin(rows) is not list or not (isinstance(kinds[0], type) and issubclass(kinds[0], Table)):
            text = f"{name!r} is the rows of a step: annotate it with a list of a table's rows, as list[Ticket]"
            raise SchemaError(f"{self.place}: {self.path}: {text}")
        return kinds[0]


@overload
def job(body: JobBody, /) -> JobBody: ...
@overload
def job(*, retry: Retry = ...) -> Callable[[JobBody], JobBody]: ...
def job(body: Any = None, /, *, retry: Retry = STEPS_RETRY) -> Any:
    """Declare a job: ``async def function(ctx: MutationContext, rows: list[Ticket], ...) -> None``.

    ``ctx.scheduler.run_job(function, query, ...)`` has it called for all documents of a query, some at a time. Each such
    step is a mutation of the application's own, and its transaction also moves the place where the job goes on: so each
    document is handed to it in exactly one step that is committed, whatever hub dies. Only the application itself calls it.

    Args:
        retry: How often a step that fails is tried again, each time with fewer documents, before the job has failed.
    """

    def mark(body: Any) -> Any:
        if not inspect.iscoroutinefunction(body) or len(signature_of(body).parameters) < 2:
            name = getattr(body, "__name__", repr(body))
            raise SchemaError(f"{name}: a job is an async function of a MutationContext and a list of rows")
        setattr(body, MARK, JobFunction(body, retry))
        return body

    return mark if body is None else mark(body)
