"""What functions may use beyond the database, as the engine hands it to them: the schedule, and mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypedDict, TypeVar, Unpack, overload

from synovia.errors import FunctionError
from synovia.functions.attachments import Attachment
from synovia.functions.query import Query
from synovia.functions.references import FunctionReference
from synovia.functions.retry import Retry
from synovia.functions.scheduled_calls import ScheduledCall
from synovia.identity import Identity, Impersonation
from synovia.schema import Document, Id, Table

S = TypeVar("S")
T = TypeVar("T", bound=Table)
P = ParamSpec("P")


class Result(Protocol):
    """The outcome of a transaction."""

    def value(self) -> Any:
        """Give the wire value, or raise FunctionError."""
        ...


class CallOptions(TypedDict, total=False):
    """What can be said of a call that is scheduled.

    Attributes:
        retry: How often an action that fails is tried again; by default what its declaration says, else never.
        on_complete: An internal mutation, or its path, that is told when the call is over, whatever came of it; it takes
            ``call_id``, ``context`` and ``outcome``, a ``CallOutcome``, and is part of the transaction that ends the call.
        on_failure: The same, only if the call has failed for good; it comes before ``on_complete``.
        context: What these get with it: any wire value.
    """

    retry: Retry | None
    on_complete: FunctionReference | None
    on_failure: FunctionReference | None
    context: Any


class Scheduler(Protocol):
    """Has functions called later. A call runs as the application itself: nobody is signed in, access is not checked.

    A function is named by itself, and then what it takes follows by position or by name:
    ``run_after(delay, invites.expire, invite_id=invite.id)``. Or it is named by its path, followed by a map of its arguments
    as a client would send it, and by options.
    """

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """Give a scheduler that schedules with options: ``retry``, ``on_complete``, ``on_failure``, ``context``."""
        ...

    @overload
    def run_after(
        self, delay: timedelta, function: str, args: Mapping[str, Any] | None = None, /, **options: Unpack[CallOptions]
    ) -> Coroutine[Any, Any, Id[ScheduledCall]]: ...
    @overload
    def run_after(
        self, delay: timedelta, function: Callable[Concatenate[Any, P], Awaitable[Any]], /,
        *args: P.args, **kwargs: P.kwargs,
    ) -> Coroutine[Any, Any, Id[ScheduledCall]]:  # fmt: skip
        """Have a mutation or an action called when ``delay`` has passed, and give the id of the call.

        Args:
            delay: At least how long.
            function: The function, or its path.
            args: What it takes; it may hold array references.
            options: With a path: as for ``with_options``.

        Raises:
            FunctionError: There is no such function, the arguments do not fit it, or they are too large
                (``limit_exceeded``, also for too many calls scheduled by one mutation).
        """
        ...

    @overload
    def run_at(
        self, when: int, function: str, args: Mapping[str, Any] | None = None, /, **options: Unpack[CallOptions]
    ) -> Coroutine[Any, Any, Id[ScheduledCall]]: ...
    @overload
    def run_at(
        self, when: int, function: Callable[Concatenate[Any, P], Awaitable[Any]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, Id[ScheduledCall]]:
        """Have it called at a time, in milliseconds since 1970 (UTC); at once if that is over. Else as ``run_after``."""
        ...

    def run_many(
        self, function: FunctionReference, calls: Iterable[Mapping[str, Any]], *, delay: timedelta = timedelta(),
        at: int | None = None, contexts: Iterable[Any] | None = None, **options: Unpack[CallOptions],
    ) -> Coroutine[Any, Any, list[Id[ScheduledCall]]]:  # fmt: skip
        """Have a function called many times, and give the ids of the calls.

        It writes a document for some hundreds of calls; they become rows of ``ScheduledCall`` within moments.

        Args:
            function: The function, or its path.
            calls: The arguments of each, as a client would send them.
            delay: When: once this has passed.
            at: When: at a time in milliseconds since 1970, in place of ``delay``.
            contexts: The context of each, in place of one for all.
            options: As for ``with_options``.

        Raises:
            FunctionError: As for ``run_after``; nothing is scheduled then. ``limit_exceeded``: more than 16 MiB in one
                mutation, each call taken for 64 bytes more than its arguments and its context.
        """
        ...

    async def cancel(self, call_id: str) -> bool:
        """Cancel a call; False if it is running, over, or not there. A job or a workflow is cancelled also while it runs."""
        ...


class MutationScheduler(Scheduler, Protocol):
    """What schedules in the transaction of a mutation; it has jobs begun, too."""

    @overload
    def run_job(
        self,
        function: str,
        query: Query[Any],
        args: Mapping[str, Any] | None = None,
        /,
        **options: Unpack[CallOptions],
    ) -> Coroutine[Any, Any, Id[ScheduledCall]]: ...
    @overload
    def run_job(
        self, function: Callable[Concatenate[Any, list[T], P], Awaitable[None]], query: Query[T], /,
        *args: P.args, **kwargs: P.kwargs,
    ) -> Coroutine[Any, Any, Id[ScheduledCall]]:  # fmt: skip
        """Have a job go over the documents that a query has when the job begins, some at a time; give the id of the call.

        Args:
            function: The job, or its path.
            query: A table, or an interval of one of its indexes, with ``where``; in what order. What the rules hide from
                the caller is left out, as they are when the job is begun; ``ctx.as_application().db.query(...)`` has all.
            args: What it takes besides the rows.
            options: With a path: as for ``with_options``.

        Raises:
            FunctionError: There is no such job, the arguments do not fit it, or it cannot go over this query: one of
                another table, a search, or one whose rules are asked row by row.
        """
        ...

    async def resume(self, call_id: str) -> bool:
        """Let a job or a workflow that has failed, or was cancelled, go on where it stopped; False for any other.

        A workflow begins the step anew that has ended it; if it has taken back what it had done, the first step that was
        taken back and all that comes after it. A step of another workflow goes on with that one.
        """
        ...

    async def send_event(self, workflow_id: str, name: str, payload: Any = None) -> bool:
        """Send an event to a workflow, which gets it from ``ctx.wait_for_event(name)``, now or later.

        Args:
            workflow_id: The id of its call.
            payload: Any wire value.

        Returns:
            Whether it went there: False if the workflow is over, or is none.

        Raises:
            FunctionError: The payload cannot be kept, or too many events wait there.
        """
        ...


ScheduleInTransaction = Callable[[Callable[[Scheduler], Awaitable[Any]]], Awaitable[Result]]
"""Calls what it is given with the scheduler of a transaction of its own, and commits."""


class Scheduling(Protocol):
    """Gives functions their scheduler."""

    def within(self, ctx: Any) -> MutationScheduler:
        """Give the one that schedules in a mutation's own transaction."""
        ...

    def apart(self, transact: ScheduleInTransaction) -> Scheduler:
        """Give the one that schedules in transactions of its own."""
        ...


class Mail(Protocol):
    """Sends mail."""

    @property
    def home(self) -> str:
        """Where people reach this server, for links in messages; without a slash at its end."""
        ...

    async def send(
        self,
        to: str | Sequence[str],
        subject: str,
        text: str,
        *,
        html: str | None = None,
        attachments: Sequence[Attachment] = (),
        reply_to: str | None = None,
    ) -> None:
        """Send one message; when this returns, the mail server has it.

        Args:
            to: An address, or up to 50, each of whom sees the others; send one message each to keep them apart.
            subject: One line of at most 500 characters.
            text: The message as plain text, at most 256 KiB; what is read where HTML is not shown.
            html: The same as HTML. What comes from users has to be escaped in it (``html.escape``).
            attachments: At most 20 files, 10 MiB together.
            reply_to: Where answers go, if not to the sender.

        Raises:
            FunctionError: ``invalid_arguments``: something is not as said above; ``mail_unavailable``: no mail server is
                configured, or it does not take the message.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImpersonationSession:
    """A session that begins once its document has been added to its table.

    Attributes:
        expires_at: When it ends, in milliseconds since 1970.
    """

    token: str = field(repr=False)
    expires_at: int
    table: str
    document: Document = field(repr=False)


class Impersonator(Protocol):
    """Lets somebody look at the application as another user."""

    async def impersonate(self, identity: Identity, impersonation: Impersonation) -> ImpersonationSession:
        """Make a session in which somebody looks at the application as somebody else."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What an engine's functions may use; a missing one is told by an error when it is asked for."""

    scheduling: Scheduling | None = None
    mail: Mail | None = None
    impersonator: Impersonator | None = None

    def get_scheduling(self) -> Scheduling:
        """Give it.

        Raises:
            FunctionError: There is none.
        """
        return _there(self.scheduling, "scheduler_unavailable", "nothing can be scheduled here")

    def get_mail(self) -> Mail:
        """As ``get_scheduling``."""
        return _there(self.mail, "mail_unavailable", "no mail server is configured")

    def get_impersonator(self) -> Impersonator:
        """As ``get_scheduling``."""
        return _there(self.impersonator, "impersonation_unavailable", "this server gives no tokens of its own")


def _there(service: S | None, code: str, message: str) -> S:
    if service is None:
        raise FunctionError(code, message)
    return service
