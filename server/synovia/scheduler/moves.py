"""What is due is moved on by transactions: all but the running of actions, which take a while and have leases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from synovia.engine.engine import Engine
from synovia.engine.outcomes import Outcome
from synovia.errors import UnknownFunction
from synovia.functions.context import MutationContext, Work
from synovia.functions.function import Isolation, Kind
from synovia.functions.job import JobFunction
from synovia.functions.registry import Registry
from synovia.functions.scheduling_cause import running_scheduled
from synovia.functions.workflow import WorkflowFunction
from synovia.scheduler.due_calls import DueCall
from synovia.scheduler.failures import Failure
from synovia.scheduler.jobs import JobTransitions
from synovia.scheduler.transitions import CallTransitions
from synovia.scheduler.workflows import WorkflowTransitions
from synovia_protocol.errors import ErrorCode, ErrorInfo

LONGEST_WAIT = 10.0

_Fail = Callable[[MutationContext, str, ErrorInfo], Awaitable[list[Failure]]]


class Moves:
    """Moves on what is due; tells the outcome of the last transaction, which has found something to do or nothing.

    Args:
        failed: Is told what has failed, once that is committed.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        transitions: CallTransitions,
        jobs: JobTransitions,
        workflows: WorkflowTransitions,
        failed: Callable[[Iterable[Any]], None],
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._transitions = transitions
        self._jobs = jobs
        self._workflows = workflows
        self._failed = failed

    async def move_on(self, item: DueCall) -> Outcome:
        """Do what is due next of anything but an action."""
        match item.task:
            case "mutation":
                return await self._run_mutation(item)
            case "job":
                return await self._run_step(item)
            case "workflow":
                return await self._run_turn(item)
            case "ended":
                return await self._give_up(item)
            case "cron":
                return await self._run_cron(item)
            case "batch":
                return await self._unpack(item)
            case "finished":
                return checked(await self.commit(self._transitions.sweep, path="_scheduler:sweep"))
        raise ValueError(f"an action runs elsewhere, and {item.task} is none of these")

    async def _run_mutation(self, item: DueCall) -> Outcome:
        function = self._registry.functions.get(item.path)
        if function is None or function.kind is not Kind.MUTATION:
            return await self.fail(item, UnknownFunction(f"there is no mutation {item.path!r}").info)
        with running_scheduled(item.id):
            outcome = await self.commit(
                lambda ctx: self._transitions.run(ctx, item, function), path=item.path, isolation=function.isolation
            )
        return await self.fail(item, outcome.error) if outcome.error is not None else self.note(outcome)

    async def _run_step(self, item: DueCall) -> Outcome:
        function = self._registry.background.get(item.path)
        if not isinstance(function, JobFunction):
            return await self.fail(item, UnknownFunction(f"there is no job {item.path!r}").info)
        return await self._go_on(item, lambda ctx: self._jobs.step(ctx, item, function), self._jobs.fail)

    async def _run_turn(self, item: DueCall) -> Outcome:
        function = self._registry.background.get(item.path)
        if not isinstance(function, WorkflowFunction):
            return await self.fail(item, UnknownFunction(f"there is no workflow {item.path!r}").info)
        return await self._go_on(item, lambda ctx: self._workflows.turn(ctx, item, function), self._workflows.fail)

    async def _go_on(self, item: DueCall, work: Work, fail: _Fail) -> Outcome:
        """Do the next of what a call does in several transactions; ``fail`` notes that it has failed."""
        with running_scheduled(item.id):
            outcome = await self.commit(work, path=item.path)
        if (error := outcome.error) is not None:
            outcome = checked(await self.commit(lambda ctx: fail(ctx, item.id, error), path="_scheduler:fail"))
        return self.note(outcome)

    async def _give_up(self, item: DueCall) -> Outcome:
        return checked(await self.commit(lambda ctx: self._workflows.give_up(ctx, item), path="_scheduler:give_up"))

    async def fail(self, item: DueCall, error: ErrorInfo) -> Outcome:
        """Note that a call has failed."""
        failed = await self.commit(lambda ctx: self._transitions.fail(ctx, item.id, error), path="_scheduler:fail")
        return self.note(checked(failed))

    async def _unpack(self, item: DueCall) -> Outcome:
        outcome = await self.commit(lambda ctx: self._transitions.unpack(ctx, item.id), path="_scheduler:unpack")
        if (error := outcome.error) is None:
            return outcome
        work = partial(self._transitions.fail_batch, id_=item.id, error=error)
        return self.note(checked(await self.commit(work, path="_scheduler:fail_batch")))

    async def _run_cron(self, item: DueCall) -> Outcome:
        function = self._registry.functions[item.path]
        work = partial(self._transitions.run_cron, due=item, function=function)
        if function.kind is Kind.MUTATION:
            with running_scheduled(None):
                outcome = await self.commit(work, path=item.path, isolation=function.isolation)
        else:  # which is only scheduled here
            outcome = await self.commit(work, path="_scheduler:run_cron")
        if (error := outcome.error) is None:
            return outcome
        failed = await self.commit(
            lambda ctx: self._transitions.fail_cron(ctx, item, function, error), path="_scheduler:fail_cron"
        )
        return self.note(checked(failed))

    def note(self, outcome: Outcome) -> Outcome:
        """Say what has failed, now that it is committed."""
        if outcome.error is None:
            self._failed(outcome.value())
        return outcome

    async def commit(self, work: Work, *, path: str, isolation: Isolation = "serializable") -> Outcome:
        """Do a step, again and again as long as the database cannot be used or others are always faster."""
        wait = 0.1
        while True:
            outcome = await self._engine.transact(work, path=path, isolation=isolation)
            if outcome.error is None or not (outcome.unusable or outcome.error.code == ErrorCode.OVERLOADED):
                return outcome
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)


def checked(outcome: Outcome) -> Outcome:
    """Give an outcome that is no error; raise what it is otherwise."""
    outcome.value()
    return outcome
